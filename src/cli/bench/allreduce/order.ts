/** What the coordinator of `dcml bench allreduce` and those that it measures say to each other. @module */

import type { AllReduceAlgorithm } from '../../../index.js'

/** Transports that can be measured. */
export const transports = ['sharedMemory', 'tcp', 'mpi'] as const
export type BenchTransport = (typeof transports)[number]

/** Who all-reduces, in the order of the columns. */
export const contenders = ['dcml', 'gloo', 'openmpi', 'mpich'] as const
export type Contender = (typeof contenders)[number]

/** Libraries of MPI. */
export const mpiNames = ['openmpi', 'mpich'] as const
export type MpiName = (typeof mpiNames)[number]

/** One length of the array. */
export interface SizeOrder {
  /** Of float32 values: a multiple of 4. */
  bytes: number
  /** All-reduces in a row that are timed together. */
  repetitions: number
}

/** What a contender is told, as JSON in its last argument. */
export interface Order {
  transport: BenchTransport
  /** Whose mpirun starts dcml's processes, where they go over MPI. */
  mpi: MpiName
  workers: number
  algorithm: 'auto' | AllReduceAlgorithm
  sizes: SizeOrder[]
  /** Batches of repetitions that are not counted, and that are. */
  warmUps: number
  batches: number
}

/** Times in microseconds of one all-reduce, by size and batch. */
export interface Measurement {
  timesUs: number[][]
  version?: string
}

/** What a contender answers, as JSON in the last line that it prints. */
export type Outcome = Measurement | { skipped: string } | { error: string }

/** 4 B to 128 MB. */
export const defaultSizes = [4, 40, 400, 4e3, 4e4, 4e5, 4e6, 4e7, 128e6]

/** Short arrays are reduced often enough for the clock, long ones seldom enough for the user. */
export function sizeOrder(bytes: number): SizeOrder {
  return { bytes, repetitions: Math.round(Math.min(50, Math.max(2, 2e6 / bytes))) }
}
