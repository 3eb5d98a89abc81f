import { mnist } from './mnist.js'

export { MNIST_FILES, type MnistSplit, mnistFolder } from './mnist.js'

/** Readers of files, all with a clear DataError on bad input. */
export const sources = { mnist }
