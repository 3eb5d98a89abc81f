// Runs a list of kernel calls. Each call is one word for its code and one word per argument (float64: two), as
// ../program/call-table.ts writes them.

import { attention, attentionGrad } from './attention'
import { batchNorm, batchNormTraining, batchNormTrainingGrad } from './batch-norm'
import { binary, binaryStrided, compareStrided } from './binary'
import { compare } from './compare'
import { chain } from './chain'
import { conv2d, conv2dFilterGrad, conv2dInputGrad } from './conv2d'
import { cumulative } from './cumulative'
import { addInto, cast, fill, select } from './fill'
import { layerNorm, layerNormGrad, layerNormParameterGrad } from './layer-norm'
import { copyRows, gather, oneHot, pad, segmentSum } from './layout'
import { matMul } from './mat-mul'
import { meet } from './meeting'
import { adagrad, adam, rmsprop, sgd, sumRanges, totals } from './optimizers'
import { philoxFill } from './random'
import { gruGates, gruGatesGrad, gruState, gruStateGrad, lstmCell, lstmCellGrad } from './recurrent'
import { argExtreme, reduce, reduceBool, reduceInt } from './reduce'
import { resize } from './resize'
import { crossEntropy, crossEntropyGrad, softmax } from './softmax'
import { stridedCopy } from './strided-copy'
import { classify, logicalNot, unary } from './unary'
import {
  avgPool,
  avgPoolGrad,
  depthwiseConv2d,
  depthwiseConv2dFilterGrad,
  depthwiseConv2dInputGrad,
  maxPool,
  maxPoolGrad,
} from './windows'

/** Argument i of the call at p, from 1: a number. */
// @ts-ignore: decorator
@inline
function n(p: usize, i: usize): i32 {
  return load<i32>(p + (i << 2))
}

/** A pointer. */
// @ts-ignore: decorator
@inline
function at(p: usize, i: usize): usize {
  return <usize>load<u32>(p + (i << 2))
}

/** A float32. */
// @ts-ignore: decorator
@inline
function f(p: usize, i: usize): f32 {
  return load<f32>(p + (i << 2))
}

/** A float64, in words i and i + 1. */
// @ts-ignore: decorator
@inline
function d(p: usize, i: usize): f64 {
  return load<f64>(p + (i << 2))
}

/** The loss is not a finite number; see ../exports.ts. */
const NOT_FINITE: i32 = -1

/** See ../exports.ts. */
export function runProgram(from: usize, to: usize): i32 {
  let p: usize = from
  let faults = 0
  while (p < to) {
    switch (n(p, 0)) {
      case 0:
        matMul(
          at(p, 1), at(p, 2), at(p, 3), at(p, 4), n(p, 5), n(p, 6), n(p, 7), n(p, 8), n(p, 9), n(p, 10), n(p, 11),
          n(p, 12), n(p, 13), n(p, 14), n(p, 15), n(p, 16), n(p, 17),
        )
        p += 72
        break
      case 1:
        unary(n(p, 1), at(p, 2), at(p, 3), n(p, 4), f(p, 5), f(p, 6))
        p += 28
        break
      case 2:
        classify(n(p, 1), at(p, 2), at(p, 3), n(p, 4))
        p += 20
        break
      case 3:
        logicalNot(at(p, 1), at(p, 2), n(p, 3))
        p += 16
        break
      case 4:
        binary(
          n(p, 1), n(p, 2), at(p, 3), at(p, 4), at(p, 5), n(p, 6), n(p, 7), n(p, 8), n(p, 9), n(p, 10), n(p, 11),
        )
        p += 48
        break
      case 5:
        binaryStrided(n(p, 1), n(p, 2), at(p, 3), at(p, 4), at(p, 5), at(p, 6))
        p += 28
        break
      case 6:
        compare(
          n(p, 1), n(p, 2), at(p, 3), at(p, 4), at(p, 5), n(p, 6), n(p, 7), n(p, 8), n(p, 9), n(p, 10), n(p, 11),
        )
        p += 48
        break
      case 7:
        compareStrided(n(p, 1), n(p, 2), at(p, 3), at(p, 4), at(p, 5), at(p, 6))
        p += 28
        break
      case 8:
        select(at(p, 1), at(p, 2), at(p, 3), at(p, 4), n(p, 5), n(p, 6), n(p, 7))
        p += 32
        break
      case 9:
        fill(n(p, 1), at(p, 2), n(p, 3), d(p, 4))
        p += 24
        break
      case 10:
        cast(n(p, 1), n(p, 2), at(p, 3), at(p, 4), n(p, 5))
        p += 24
        break
      case 11:
        addInto(at(p, 1), at(p, 2), n(p, 3), f(p, 4))
        p += 20
        break
      case 12:
        conv2d(at(p, 1), at(p, 2), at(p, 3), n(p, 4), at(p, 5), at(p, 6))
        p += 28
        break
      case 13:
        conv2dInputGrad(at(p, 1), at(p, 2), at(p, 3), at(p, 4))
        p += 20
        break
      case 14:
        conv2dFilterGrad(at(p, 1), at(p, 2), at(p, 3), at(p, 4))
        p += 20
        break
      case 15:
        depthwiseConv2d(at(p, 1), at(p, 2), at(p, 3), n(p, 4), at(p, 5), at(p, 6))
        p += 28
        break
      case 16:
        depthwiseConv2dInputGrad(at(p, 1), at(p, 2), at(p, 3), at(p, 4))
        p += 20
        break
      case 17:
        depthwiseConv2dFilterGrad(at(p, 1), at(p, 2), at(p, 3), at(p, 4))
        p += 20
        break
      case 18:
        maxPool(at(p, 1), at(p, 2), at(p, 3))
        p += 16
        break
      case 19:
        maxPoolGrad(at(p, 1), at(p, 2), at(p, 3), at(p, 4))
        p += 20
        break
      case 20:
        avgPool(at(p, 1), at(p, 2), at(p, 3))
        p += 16
        break
      case 21:
        avgPoolGrad(at(p, 1), at(p, 2), at(p, 3))
        p += 16
        break
      case 22:
        reduce(n(p, 1), at(p, 2), at(p, 3), n(p, 4), n(p, 5), n(p, 6))
        p += 28
        break
      case 23:
        reduceInt(n(p, 1), at(p, 2), at(p, 3), n(p, 4), n(p, 5), n(p, 6))
        p += 28
        break
      case 24:
        reduceBool(n(p, 1), at(p, 2), at(p, 3), n(p, 4), n(p, 5), n(p, 6))
        p += 28
        break
      case 25:
        argExtreme(n(p, 1), at(p, 2), at(p, 3), n(p, 4), n(p, 5), n(p, 6))
        p += 28
        break
      case 26:
        softmax(n(p, 1), at(p, 2), at(p, 3), n(p, 4), n(p, 5))
        p += 24
        break
      case 27:
        stridedCopy(at(p, 1), at(p, 2), n(p, 3), at(p, 4))
        p += 20
        break
      case 28:
        chain(p + 4)
        p += 432
        break
      case 29:
        copyRows(at(p, 1), at(p, 2), n(p, 3), n(p, 4), n(p, 5), n(p, 6))
        p += 28
        break
      case 30:
        pad(at(p, 1), at(p, 2), f(p, 3), at(p, 4))
        p += 20
        break
      case 31:
        faults += gather(at(p, 1), at(p, 2), at(p, 3), n(p, 4), n(p, 5), n(p, 6), n(p, 7))
        p += 32
        break
      case 32:
        segmentSum(at(p, 1), at(p, 2), at(p, 3), n(p, 4), n(p, 5), n(p, 6))
        p += 28
        break
      case 33:
        oneHot(at(p, 1), at(p, 2), n(p, 3), n(p, 4), f(p, 5), f(p, 6))
        p += 28
        break
      case 34:
        batchNorm(at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), at(p, 6), n(p, 7), n(p, 8), f(p, 9))
        p += 40
        break
      case 35:
        philoxFill(
          at(p, 1), n(p, 2), n(p, 3), n(p, 4), d(p, 5), <u32>n(p, 7), <u32>n(p, 8), <u32>n(p, 9), <u32>n(p, 10),
        )
        p += 44
        break
      case 36:
        cumulative(n(p, 1), n(p, 2), at(p, 3), at(p, 4), n(p, 5), n(p, 6), n(p, 7), n(p, 8), n(p, 9))
        p += 40
        break
      case 37:
        crossEntropy(at(p, 1), at(p, 2), at(p, 3), at(p, 4), n(p, 5), n(p, 6))
        p += 28
        break
      case 38:
        crossEntropyGrad(at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), n(p, 6), n(p, 7))
        p += 32
        break
      case 39:
        layerNorm(at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), n(p, 6), n(p, 7), f(p, 8))
        p += 36
        break
      case 40:
        layerNormGrad(at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), n(p, 6), n(p, 7))
        p += 32
        break
      case 41:
        layerNormParameterGrad(at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), n(p, 6), n(p, 7))
        p += 32
        break
      case 42:
        lstmCell(at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), at(p, 6), n(p, 7), n(p, 8), n(p, 9))
        p += 40
        break
      case 43:
        lstmCellGrad(at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), at(p, 6), at(p, 7), n(p, 8), n(p, 9), n(p, 10))
        p += 44
        break
      case 44:
        gruGates(at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), at(p, 6), at(p, 7), n(p, 8), n(p, 9), n(p, 10))
        p += 44
        break
      case 45:
        gruGatesGrad(
          at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), at(p, 6), at(p, 7), at(p, 8), at(p, 9), n(p, 10),
          n(p, 11), n(p, 12),
        )
        p += 52
        break
      case 46:
        gruState(at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), at(p, 6), n(p, 7))
        p += 32
        break
      case 47:
        gruStateGrad(at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), at(p, 6), at(p, 7), n(p, 8))
        p += 36
        break
      case 48:
        attention(
          at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), n(p, 6), n(p, 7), n(p, 8), n(p, 9), n(p, 10), n(p, 11),
          n(p, 12), f(p, 13),
        )
        p += 56
        break
      case 49:
        attentionGrad(
          at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), at(p, 6), at(p, 7), at(p, 8), at(p, 9), n(p, 10),
          n(p, 11), n(p, 12), n(p, 13), n(p, 14), n(p, 15), n(p, 16), f(p, 17),
        )
        p += 72
        break
      case 50:
        batchNormTraining(at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), at(p, 6), n(p, 7), n(p, 8), f(p, 9))
        p += 40
        break
      case 51:
        batchNormTrainingGrad(
          at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), at(p, 6), at(p, 7), at(p, 8), n(p, 9), n(p, 10),
          f(p, 11),
        )
        p += 48
        break
      case 53:
        resize(at(p, 1), at(p, 2), at(p, 3), n(p, 4), n(p, 5), n(p, 6), n(p, 7), n(p, 8), n(p, 9))
        p += 40
        break
      case 100:
        sgd(at(p, 1), at(p, 2), at(p, 3), n(p, 4), f(p, 5), f(p, 6), n(p, 7), f(p, 8), f(p, 9))
        p += 40
        break
      case 101:
        adam(
          at(p, 1), at(p, 2), at(p, 3), at(p, 4), n(p, 5), f(p, 6), f(p, 7), d(p, 8), d(p, 10), f(p, 12), f(p, 13),
          f(p, 14), f(p, 15),
        )
        p += 64
        break
      case 102:
        rmsprop(
          at(p, 1), at(p, 2), at(p, 3), at(p, 4), at(p, 5), n(p, 6), f(p, 7), d(p, 8), f(p, 10), f(p, 11), f(p, 12),
          f(p, 13),
        )
        p += 56
        break
      case 103:
        sumRanges(at(p, 1), n(p, 2), at(p, 3), n(p, 4), n(p, 5))
        p += 24
        break
      case 104: {
        if (faults) return faults
        const stop = meet(at(p, 1), n(p, 2), n(p, 3), d(p, 4))
        if (stop) return stop
        p += 24
        break
      }
      case 105:
        if (faults) return faults
        if (!totals(at(p, 1), n(p, 2), n(p, 3), at(p, 4), n(p, 5))) return NOT_FINITE
        p += 24
        break
      case 106:
        adagrad(at(p, 1), at(p, 2), at(p, 3), n(p, 4), f(p, 5), f(p, 6), f(p, 7), f(p, 8))
        p += 36
        break
      default:
        unreachable()
    }
  }
  return faults
}
