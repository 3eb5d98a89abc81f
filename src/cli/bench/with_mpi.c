/*
 * All-reduce as a C program does it, beside which dcml is measured: float32 sums in place, a barrier before each.
 *
 * mpicc -O2 with_mpi.c -o with-mpi && mpirun -n 2 --bind-to none ./with-mpi BYTES:REPEATS...
 * Rank 0 prints, in one line of JSON, the library and the times of all repeats but the two first, in microseconds.
 */
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv) {
  int rank, size, length;
  char version[MPI_MAX_LIBRARY_VERSION_STRING];
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  MPI_Get_library_version(version, &length);
  version[strcspn(version, ",\n\t\"")] = 0;
  if (rank == 0) printf("{\"version\":\"%s\",\"worldSize\":%d,\"results\":[", version, size);
  for (int i = 1; i < argc; i++) {
    size_t bytes = strtoull(argv[i], NULL, 10);
    const char *colon = strchr(argv[i], ':');
    int repeats = colon ? atoi(colon + 1) : 20;
    int count = (int)(bytes / sizeof(float));
    float *values = calloc(count > 0 ? count : 1, sizeof(float));
    if (!values) MPI_Abort(MPI_COMM_WORLD, 1);
    if (rank == 0) printf("%s{\"bytes\":%zu,\"us\":[", i > 1 ? "," : "", bytes);
    for (int repeat = -2; repeat < repeats; repeat++) {
      MPI_Barrier(MPI_COMM_WORLD);
      double start = MPI_Wtime();
      MPI_Allreduce(MPI_IN_PLACE, values, count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
      double us = (MPI_Wtime() - start) * 1e6;
      if (rank == 0 && repeat >= 0) printf("%s%.3f", repeat > 0 ? "," : "", us);
    }
    if (rank == 0) printf("]}");
    free(values);
  }
  if (rank == 0) printf("]}\n");
  MPI_Finalize();
  return 0;
}
