import * as tf from '@tensorflow/tfjs-core'
import * as tfl from '@tensorflow/tfjs-layers'
import { beforeEach, describe, expect, it } from 'vitest'
import { selectBackend } from '../../src/backends/index.js'
import { probeBackend } from '../../src/backends/probes.js'
import { ConfigError } from '../../src/core/index.js'
import { datasets } from '../../src/data/index.js'
import { adam } from '../../src/optimizers/index.js'
import { Trainer } from '../../src/training/index.js'

const { available, reason } = await probeBackend('webgpu')

describe.skipIf(!available)(`WebGPU in Node${reason === undefined ? '' : `: skipped, for ${reason}`}`, () => {
  beforeEach(async () => {
    await selectBackend({ prefer: ['webgpu'] })
  })

  it('converts what it casts', async () => {
    const values = Int32Array.from({ length: 8 * 9 * 10 }, (_, i) => i - 100)
    // Computed, so that it is in the GPU's memory.
    const whole = tf.relu(tf.tensor3d(values, [8, 9, 10], 'int32'))
    const transposed = tf.transpose(tf.cast(whole, 'float32'), [2, 0, 1])
    expect(transposed.dtype).toBe('float32')
    const expected = Float32Array.from(values, (_, i) => Math.max(0, values[(i % 72) * 10 + Math.floor(i / 72)]!))
    expect(await transposed.data()).toEqual(expected)
    const truth = tf.greater(whole, 100)
    expect(await tf.sum(tf.cast(truth, 'float32')).data()).toEqual(
      Float32Array.of(values.filter((v) => v > 100).length),
    )
  })

  it('throws at the next read what the device has reported', async () => {
    const { device } = tf.backend() as tf.KernelBackend & { device: GPUDevice }
    // A buffer cannot be mapped for reading and be a storage buffer.
    device.createBuffer({ size: 16, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE })
    await device.queue.onSubmittedWorkDone()
    const x = tf.relu(tf.ones([64, 64]))
    await expect(x.data()).rejects.toThrow(ConfigError)
    expect((await tf.relu(x).data()).every((value) => value === 1)).toBe(true)
  })

  it('trains as the processor does', { timeout: 120_000 }, async () => {
    const digits = datasets.syntheticDigits({ count: 96, seed: 1 })
    const losses = async () => {
      const seeded = (seed: number) => tfl.initializers.glorotUniform({ seed })
      const model = tfl.sequential({
        layers: [
          tfl.layers.conv2d({
            inputShape: [28, 28, 1],
            filters: 4,
            kernelSize: 3,
            activation: 'relu',
            kernelInitializer: seeded(1),
          }),
          tfl.layers.batchNormalization(),
          tfl.layers.maxPooling2d({ poolSize: 2 }),
          tfl.layers.flatten(),
          tfl.layers.dense({ units: 10, activation: 'softmax', kernelInitializer: seeded(2) }),
        ],
      })
      const trainer = new Trainer({ model, loss: 'sparseCategoricalCrossentropy', optimizer: adam(), seed: 1 })
      const history = await trainer.fit(digits, { epochs: 3, batchSize: 32 })
      await trainer.close()
      return history.epochs.map(({ loss }) => loss)
    }
    const onGpu = await losses()
    await selectBackend({ prefer: ['wasm'] })
    const onProcessor = await losses()
    onGpu.forEach((loss, epoch) => void expect(loss).toBeCloseTo(onProcessor[epoch]!, 3))
    expect(onGpu.at(-1)).toBeLessThan(onGpu[0]!)
  })
})
