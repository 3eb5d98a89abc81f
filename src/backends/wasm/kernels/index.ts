/**
 * The table of dcml-wasm's own kernels.
 * @module
 */

import { complexKernels } from './complex.js'
import type { KernelConfigPart } from './define.js'
import { shapeKernels } from './shape.js'

/** Every kernel that dcml-wasm computes itself. */
export const kernelConfigs: readonly KernelConfigPart[] = [...shapeKernels, ...complexKernels]
