import { testOn } from '../unit/backends/tested-backends.js'
import { useStandIn } from './stand-in.js'

if (useStandIn('operations with kernels of their own')) {
  testOn('cuda')
  await import('../unit/backends/batch-norm.test.js')
  await import('../unit/backends/device-floats.test.js')
  await import('../unit/backends/gelu.test.js')
  await import('../unit/backends/gradients/gradients.test.js')
  await import('../unit/backends/layer-norm.test.js')
  await import('../unit/backends/random-tensor.test.js')
  await import('../unit/backends/recurrent-cells.test.js')
  await import('../unit/backends/resize.test.js')
  await import('../unit/metrics/crossentropy.test.js')
  await import('../unit/training/tfjs-optimizer.test.js')
}
