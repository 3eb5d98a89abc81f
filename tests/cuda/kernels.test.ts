import { CudaBackend } from '../../src/backends/cuda/cuda-backend.js'
import { CudaDevice } from '../../src/backends/cuda/cuda-device.js'
import { registerPrecisionFlag } from '../../src/backends/cuda/kernels/products.js'
import type { KernelExports } from '../../src/backends/wasm/exports.js'
import { type CallName, callTable, kindsOf } from '../../src/backends/wasm/program/call-table.js'
import { type Arena, useArena } from '../unit/backends/wasm/kernels/arena.js'
import { useStandIn } from './stand-in.js'

/** The memory of a GPU. What kernels are told of shapes is fetched, for cuda takes it from host memory. */
async function openArena(): Promise<Arena> {
  registerPrecisionFlag()
  const backend = new CudaBackend(await CudaDevice.open())
  const { device, heap } = backend
  const taken: number[] = []
  const put = (values: Float32Array | Int32Array | Uint8Array): number => {
    const pointer = heap.allocate(values.byteLength, 'test', [values.length])
    taken.push(pointer)
    device.upload(pointer, values)
    return pointer
  }
  const read = <T extends Float32Array | Int32Array | Uint8Array>(pointer: number, into: T): T => {
    device.download(pointer, into)
    return into
  }
  const bind = ([name, kernel]: [string, (...values: number[]) => unknown]) => {
    const index = name in callTable ? kindsOf(name as CallName).indexOf('i') : -1
    const run = (...values: number[]) => {
      if (index >= 0) {
        const { infoLength = 0 } = callTable[name as CallName] as { infoLength?: number }
        heap.ints.set(read(values[index]!, new Int32Array(infoLength)))
        values[index] = backend.infoPointer
      }
      return kernel(...values)
    }
    return [name, run]
  }
  const kernels = Object.fromEntries(Object.entries(backend.kernels).map((entry) => bind(entry as never)))
  // Its convolutions take scratch by themselves.
  kernels.setScratch = () => undefined
  return {
    backend: 'cuda',
    wasm: kernels as unknown as KernelExports,
    floats: (values) => put(Float32Array.from(values)),
    ints: (values) => put(Int32Array.from(values)),
    bytes: (values) => put(Uint8Array.from(values)),
    room: (length) => put(new Float32Array(length).fill(Number.NaN)),
    readFloats: (pointer, length) => read(pointer, new Float32Array(length)),
    readInts: (pointer, length) => read(pointer, new Int32Array(length)),
    readBytes: (pointer, length) => read(pointer, new Uint8Array(length)),
    reset: () => {
      for (const pointer of taken.splice(0)) heap.release(pointer)
    },
  }
}

// The tests of the wasm backend's kernels hold for these, too.
if (useStandIn('single kernels')) {
  useArena(openArena)
  await import('../unit/backends/wasm/kernels/elementwise.test.js')
  await import('../unit/backends/wasm/kernels/convolution.test.js')
  await import('../unit/backends/wasm/kernels/mat-mul.test.js')
  await import('../unit/backends/wasm/kernels/lengths.test.js')
  await import('../unit/backends/wasm/kernels/reduce-layout.test.js')
  await import('../unit/backends/wasm/kernels/update-random.test.js')
  await import('../unit/backends/wasm/kernels/accuracy.test.js')
  await import('../unit/backends/wasm/kernels/fuzz.test.js')
}
