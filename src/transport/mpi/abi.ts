/**
 * The two binary interfaces of MPI: what a C program learns from `mpi.h`. Every MPI in use has one of them.
 *
 * @see Open MPI 4 and 5, `ompi/include/mpi.h.in`: https://github.com/open-mpi/ompi
 * @see MPICH's interface, shared by Intel MPI, MVAPICH and Cray MPI: https://www.mpich.org/abi/
 * @module
 */

/** Names of what MPI itself brings. */
export interface Handles {
  readonly world: number
  readonly errorsReturn: number
  readonly uint8: number
  readonly float32: number
  readonly float64: number
  readonly int32: number
  readonly sum: number
  readonly max: number
  readonly min: number
}

/** What differs between the two. */
export interface Abi {
  readonly name: 'Open MPI' | 'MPICH'
  /** Names of the shared library. */
  readonly files: readonly string[]
  /** How the libraries that have it call themselves. */
  readonly family: RegExp
  /** C type of communicators, data types and operations. */
  readonly handle: 'uintptr_t' | 'int'
  readonly inPlace: bigint
  readonly ignoredStatus: number
  readonly anySource: number
  /** @param addressOf - Address of one of the library's symbols. */
  handles(addressOf: (symbol: string) => number): Handles
}

/** Handles are addresses of structures in the library. */
const openMpi: Abi = {
  name: 'Open MPI',
  files: ['libmpi.so.40'],
  family: /open mpi/i,
  handle: 'uintptr_t',
  inPlace: 1n,
  ignoredStatus: 0,
  anySource: -1,
  handles: (addressOf) => ({
    world: addressOf('ompi_mpi_comm_world'),
    errorsReturn: addressOf('ompi_mpi_errors_return'),
    uint8: addressOf('ompi_mpi_byte'),
    float32: addressOf('ompi_mpi_float'),
    float64: addressOf('ompi_mpi_double'),
    int32: addressOf('ompi_mpi_int32_t'),
    sum: addressOf('ompi_mpi_op_sum'),
    max: addressOf('ompi_mpi_op_max'),
    min: addressOf('ompi_mpi_op_min'),
  }),
}

/** Handles are numbers. */
const mpich: Abi = {
  name: 'MPICH',
  files: ['libmpich.so.12', 'libmpi.so.12'],
  family: /mpich|intel|mvapich|cray/i,
  handle: 'int',
  inPlace: 0xffff_ffff_ffff_ffffn,
  ignoredStatus: 1,
  anySource: -2,
  handles: () => ({
    world: 0x4400_0000,
    errorsReturn: 0x5400_0001,
    uint8: 0x4c00_010d,
    float32: 0x4c00_040a,
    float64: 0x4c00_080b,
    int32: 0x4c00_0439,
    sum: 0x5800_0003,
    max: 0x5800_0001,
    min: 0x5800_0002,
  }),
}

/** Both. */
export const abis: readonly Abi[] = [openMpi, mpich]
