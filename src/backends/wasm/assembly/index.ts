// The kernel module. ../exports.ts describes each function.

export { matMul } from './mat-mul'
export { heapBase, setScratch } from './memory'
export { classify, logicalNot, unary } from './unary'
