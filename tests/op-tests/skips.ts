/**
 * The specs of tfjs-core that dcml's own backends do not run, each with the reason.
 * @module
 */

/** One reason for all specs whose full name contains `name`. */
export interface Skip {
  name: string
  reason: string
  /** The only backend that it is about, as tfjs knows it. @default each */
  backend?: string
}

export const skips: readonly Skip[] = [
  {
    name: 'errors if relevant ops are missing grads',
    reason: 'It takes logicalAnd for an operation without a gradient; dcml registers one, which is zero.',
  },
  {
    name: 'depthwiseConv2d gradients test-dcml {} throws error on dilations > 1',
    reason: 'It expects that dilated gradients are refused; dcml computes them.',
  },
  {
    name: 'avgPool test-dcml {} gradient x=[3,3,1] f=[3,3] s=1 p=explicit',
    reason:
      'tfjs divides the gradient by the whole window, though the forward pass divides by the part inside the image; ' +
      'dcml divides both alike, which tests/unit/backends/gradients holds against differences.',
  },
  {
    name: 'maxPool test-dcml {} [x=[3,3,1] f=[2,2] s=1 ignores NaNs',
    reason: 'A NaN inside a window comes out of it, as in PyTorch, so that broken training is seen and not hidden.',
  },
  {
    name: 'maxPool3d test-dcml {} x=[1,3,3,3,1] f=[2,2,2] s=1 p=valid, ignores NaNs',
    reason: 'As in two dimensions.',
  },
  {
    name: 'gather test-dcml {} throws when index is out of bound',
    reason:
      'To know the indices would mean to wait for the GPU; rows outside are zeros, as in the backends of tfjs for GPUs.',
    backend: 'cuda',
  },
]
