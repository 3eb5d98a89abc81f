/* All-reduce of MPI in C. Arguments: warm-ups, batches, then bytes and repetitions of each size.
   Rank 0 prints the outcome as JSON. */

#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  MPI_Init(&argc, &argv);
  int rank, workers;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &workers);
  const int warm_ups = atoi(argv[1]), batches = atoi(argv[2]);
  if (rank == 0) printf("{\"timesUs\":[");
  for (int at = 3; at + 1 < argc; at += 2) {
    const long length = atol(argv[at]) / 4;
    const int repetitions = atoi(argv[at + 1]);
    float *array = malloc(length * sizeof(float));
    for (long i = 0; i < length; i++) array[i] = i % 97 + rank;
    MPI_Allreduce(MPI_IN_PLACE, array, length, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    for (long i = 0; i < length; i++)
      if (array[i] != workers * (i % 97) + workers * (workers - 1) / 2) {
        fprintf(stderr, "Error: the sum of %ld floats is wrong\n", length);
        MPI_Abort(MPI_COMM_WORLD, 1);
      }
    for (long i = 0; i < length; i++) array[i] = 0;
    if (rank == 0) printf("%s[", at > 3 ? "," : "");
    for (int batch = 0; batch < warm_ups + batches; batch++) {
      MPI_Barrier(MPI_COMM_WORLD);
      const double start = MPI_Wtime();
      for (int i = 0; i < repetitions; i++)
        MPI_Allreduce(MPI_IN_PLACE, array, length, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
      const double us = (MPI_Wtime() - start) / repetitions * 1e6;
      if (rank == 0 && batch >= warm_ups) printf("%s%.3f", batch > warm_ups ? "," : "", us);
    }
    if (rank == 0) printf("]");
    free(array);
  }
  if (rank == 0) printf("]}\n");
  MPI_Finalize();
  return 0;
}
