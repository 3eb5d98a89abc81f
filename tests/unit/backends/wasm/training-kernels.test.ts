import { testTrainingKernels } from '../training-kernels.js'

testTrainingKernels('wasm')
