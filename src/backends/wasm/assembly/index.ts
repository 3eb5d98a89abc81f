// The kernel module. ../exports.ts describes each function.

export { binary, binaryStrided, compare, compareStrided } from './binary'
export { addInto, cast, fill, select } from './fill'
export { matMul } from './mat-mul'
export { heapBase, setScratch } from './memory'
export { adam, rmsprop, sgd } from './optimizers'
export { philoxFill } from './random'
export { argExtreme, reduce, reduceBool, reduceInt, softmax } from './reduce'
export { classify, logicalNot, unary } from './unary'
