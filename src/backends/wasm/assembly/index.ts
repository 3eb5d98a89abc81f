// The kernel module. ../exports.ts describes each function.

export { heapBase, setScratch } from './memory'
