// The kernel module. ../exports.ts describes each function.

export { biasActivate } from './activation'
export { attention, attentionGrad } from './attention'
export { batchNorm, batchNormTraining, batchNormTrainingGrad } from './batch-norm'
export { binary, binaryStrided, compareStrided } from './binary'
export { compare } from './compare'
export { conv2d, conv2dFilterGrad, conv2dInputGrad } from './conv2d'
export { cumulative } from './cumulative'
export { addInto, cast, fill, select } from './fill'
export { layerNorm, layerNormGrad, layerNormParameterGrad } from './layer-norm'
export { copyRows, gather, oneHot, pad, segmentSum } from './layout'
export { runLoop } from './loop'
export { matMul } from './mat-mul'
export { endMeetings, meet } from './meeting'
export { heapBase, setScratch } from './memory'
export { adagrad, adam, lamb, rmsprop, sgd, sumOfSquares, sumRanges, totals } from './optimizers'
export { runProgram } from './program'
export { philoxFill } from './random'
export { gruGates, gruGatesGrad, gruState, gruStateGrad, lstmCell, lstmCellGrad } from './recurrent'
export { argExtreme, reduce, reduceBool, reduceInt } from './reduce'
export { resize } from './resize'
export { crossEntropy, crossEntropyGrad, softmax } from './softmax'
export { stridedCopy } from './strided-copy'
export { classify, logicalNot, unary } from './unary'
export {
  avgPool,
  avgPoolGrad,
  depthwiseConv2d,
  depthwiseConv2dFilterGrad,
  depthwiseConv2dInputGrad,
  maxPool,
  maxPoolGrad,
} from './windows'
