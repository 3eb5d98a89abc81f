/**
 * The kernels that a program may call: their codes in assembly/program.ts, and what each argument is.
 * @module
 */

import { joinedArguments } from '../../elementwise-calls.js'
import type { KernelExports } from '../exports.js'
import { chainArguments } from './chain-form.js'

/**
 * What an argument is:
 *
 * - `r`, `w`, `u`: pointer to what is read, written, or both (0: none).
 * - `i`: pointer to int32 that describe shapes.
 * - `n`, `f`, `d`: number as int32, float32, float64.
 */
export type ArgumentKind = 'r' | 'w' | 'u' | 'i' | 'n' | 'f' | 'd'

/** How a kernel is called. */
export interface CallForm {
  code: number
  arguments: string
  /** Length of what `i` points to. */
  infoLength?: number
}

const form = (code: number, kinds: string, infoLength?: number): CallForm => ({
  code,
  arguments: kinds,
  ...(infoLength === undefined ? {} : { infoLength }),
})

/** Every kernel that computes tensors, by name. */
export const callTable = {
  matMul: form(0, 'rrwrnnnnnnnnnnnnn'),
  unary: form(1, 'nrwnff'),
  classify: form(2, 'nrwn'),
  logicalNot: form(3, 'rwn'),
  binary: form(4, 'nnrrwnnnnnn'),
  binaryStrided: form(5, 'nnrrwi', 18),
  compare: form(6, 'nnrrwnnnnnn'),
  compareStrided: form(7, 'nnrrwi', 18),
  select: form(8, 'rrrwnnn'),
  fill: form(9, 'nwnd'),
  cast: form(10, 'nnrwn'),
  addInto: form(11, 'runf'),
  conv2d: form(12, 'rrrnwi', 15),
  conv2dInputGrad: form(13, 'rrwi', 15),
  conv2dFilterGrad: form(14, 'rrwi', 15),
  depthwiseConv2d: form(15, 'rrrnwi', 15),
  depthwiseConv2dInputGrad: form(16, 'rrwi', 15),
  depthwiseConv2dFilterGrad: form(17, 'rrwi', 15),
  maxPool: form(18, 'rwi', 15),
  maxPoolGrad: form(19, 'rrwi', 15),
  avgPool: form(20, 'rwi', 15),
  avgPoolGrad: form(21, 'rwi', 15),
  reduce: form(22, 'nrwnnn'),
  reduceInt: form(23, 'nrwnnn'),
  reduceBool: form(24, 'nrwnnn'),
  argExtreme: form(25, 'nrwnnn'),
  softmax: form(26, 'nrwnn'),
  stridedCopy: form(27, 'rwni', 12),
  /** Not an export: ./chain-form.ts. */
  chain: form(28, chainArguments),
  copyRows: form(29, 'rwnnnn'),
  pad: form(30, 'rwfi', 18),
  gather: form(31, 'rrwnnnn'),
  segmentSum: form(32, 'rrwnnn'),
  oneHot: form(33, 'rwnnff'),
  batchNorm: form(34, 'rrrrrwnnf'),
  philoxFill: form(35, 'wnnndnnnn'),
  cumulative: form(36, 'nnrwnnnnn'),
  crossEntropy: form(37, 'rrrwnn'),
  crossEntropyGrad: form(38, 'rrrrwnn'),
  layerNorm: form(39, 'rrrwwnnf'),
  layerNormGrad: form(40, 'rrrrwnn'),
  layerNormParameterGrad: form(41, 'rrrwwnn'),
  lstmCell: form(42, 'rrrwwwnnn'),
  lstmCellGrad: form(43, 'rrrrrwwnnn'),
  gruGates: form(44, 'rrrwwwwnnn'),
  gruGatesGrad: form(45, 'rrrrrrwwwnnn'),
  gruState: form(46, 'rrrrwwn'),
  gruStateGrad: form(47, 'rrrrwwwn'),
  attention: form(48, 'rrrwwnnnnnnnf'),
  attentionGrad: form(49, 'rrrrrrwwwnnnnnnnf'),
  batchNormTraining: form(50, 'rrrwwwnnf'),
  batchNormTrainingGrad: form(51, 'rrrrrwwwnnf'),
  /** Not an export, and not for WebAssembly: ../../elementwise-calls.ts. */
  joined: form(52, joinedArguments),
  resize: form(53, 'rrwnnnnnn'),
} as const satisfies Partial<Record<keyof KernelExports | 'chain' | 'joined', CallForm>>

/** Kernels that make a whole step of the gradients: they meet the other workers, add up, update. */
const closingTable = {
  sgd: form(100, 'urunffnff'),
  adam: form(101, 'uruunffddffff'),
  rmsprop: form(102, 'uruuunfdffff'),
  sumRanges: form(103, 'rnwnn'),
  meet: form(104, 'unnd'),
  totals: form(105, 'rnnwn'),
  adagrad: form(106, 'urunffff'),
} as const satisfies Partial<Record<keyof KernelExports, CallForm>>

/** A kernel that computes tensors. */
export type CallName = keyof typeof callTable

/** A kernel that a program may call. */
export type ProgramCallName = CallName | keyof typeof closingTable

const forms: Record<ProgramCallName, CallForm> = { ...callTable, ...closingTable }

/** How a call is made. */
export const callForm = (name: ProgramCallName): CallForm => forms[name]

/** The code of a call. */
export const codeOf = (name: ProgramCallName): number => forms[name].code

/** The kinds of a call's arguments, in order. */
export const kindsOf = (name: ProgramCallName): ArgumentKind[] => [...forms[name].arguments] as ArgumentKind[]
