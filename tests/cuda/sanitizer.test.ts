/** What the stand-in's sanitizer finds: a kernel with each mistake, and one without. */

import { beforeAll, describe, expect, it } from 'vitest'
import { CudaDevice } from '../../src/backends/cuda/cuda-device.js'
import { defineModule } from '../../src/backends/cuda/kernels/kernel-module.js'
import { needStandIn } from './stand-in.js'

const isThere = needStandIn('the sanitizer', true)
const n = 100

/** Each takes x [n], which is set, and out [n], which is not. */
const module = defineModule(
  'mistakes',
  `
#define TEST(NAME) KERNEL NAME(const float *x, float *out, int n)
TEST(right) {
  __shared__ float parts[128];
  parts[threadIdx.x] = threadIdx.x < n ? x[threadIdx.x] : 0;
  __syncthreads();
  if (threadIdx.x < n) out[threadIdx.x] = parts[n - 1 - threadIdx.x];
  __syncthreads();
  parts[threadIdx.x] = joinBlock<Add>(1.0f);
}
TEST(readsPastTheEnd) { EACH(i, n + 1) out[i < n ? i : 0] = x[i]; }
TEST(writesPastTheEnd) { EACH(i, n + 1) out[i] = 0; }
TEST(readsNoWholeFloat) { if (threadIdx.x == 0) out[0] = *(const float *)((const char *)x + 2); }
struct alignas(16) Wide { float at[4]; };
INLINE Wide wideAt(const float *x) { return *(const Wide *)x; }
TEST(readsNoWholeFour) { if (threadIdx.x == 0) out[0] = wideAt(x + 1).at[2]; }
TEST(writesNoWholeFour) { if (threadIdx.x == 0) *(Wide *)(out + 2) = wideAt(x); }
TEST(readsWhatNobodyWrote) { if (threadIdx.x == 0) out[0] = out[1]; }
TEST(readsSharedThatNobodyWrote) {
  __shared__ float parts[128];
  if (threadIdx.x > 0) parts[threadIdx.x] = 1;
  __syncthreads();
  if (threadIdx.x < n) out[threadIdx.x] = parts[threadIdx.x];
}
TEST(readsSharedTooEarly) {
  __shared__ float parts[128];
  parts[threadIdx.x] = 1;
  if (threadIdx.x < n) out[threadIdx.x] = parts[n - 1 - threadIdx.x];
}
TEST(writesSharedTooEarly) {
  __shared__ float parts[128];
  parts[threadIdx.x] = 1;
  __syncthreads();
  float value = parts[threadIdx.x ^ 1];
  parts[threadIdx.x] = 2;
  if (threadIdx.x < n) out[threadIdx.x] = value;
}
TEST(writesFromTwoBlocks) { if (threadIdx.x == 0) out[0] = blockIdx.x; }
TEST(readsWhatAnotherBlockWrote) { if (threadIdx.x == 0) out[blockIdx.x + 1] = blockIdx.x == 0 ? 1 : out[1]; }
TEST(missesABarrier) { if (threadIdx.x > 0) __syncthreads(); }
TEST(leavesInt) { if (threadIdx.x == 0) out[0] = n * (1 << 30); }
TEST(leavesAnArray) {
  __shared__ float parts[128];
  parts[threadIdx.x + n] = 1;
}
`,
)

describe.runIf(isThere)('the sanitizer of the stand-in', () => {
  let device: CudaDevice
  beforeAll(async () => {
    device = await CudaDevice.open()
  })

  const run = (kernel: string) => {
    const x = device.memory.allocate(n * 4, 'test', [n])
    const out = device.memory.allocate(n * 4, 'test', [n])
    device.upload(x, new Float32Array(n).fill(1))
    try {
      device.launch(module, kernel, { arguments: 'rwn' }, { blocks: 2, threads: 128 }, [x, out, n])
    } finally {
      device.memory.release(x)
      device.memory.release(out)
    }
  }

  it('finds nothing where nothing is wrong', () => {
    const out = device.memory.allocate(n * 4, 'test', [n])
    const x = device.memory.allocate(n * 4, 'test', [n])
    device.upload(
      x,
      Float32Array.from({ length: n }, (_, i) => i),
    )
    device.launch(module, 'right', { arguments: 'rwn' }, { blocks: 1, threads: 128 }, [x, out, n])
    const values = new Float32Array(n)
    device.download(out, values)
    expect([...values]).toEqual(Array.from({ length: n }, (_, i) => n - 1 - i))
  })

  it.each([
    ['readsPastTheEnd', 'A read of 4 bytes lies outside of every range (block 0, thread 100)'],
    ['writesPastTheEnd', 'A write of 4 bytes lies outside of every range (block 0, thread 100)'],
    ['readsNoWholeFloat', 'an address is not aligned'],
    ['readsNoWholeFour', 'an address is not aligned'],
    ['writesNoWholeFour', 'an address is not aligned'],
    ['readsWhatNobodyWrote', 'A read of 4 bytes finds what nobody wrote'],
    ['readsSharedThatNobodyWrote', 'A read of 4 bytes finds what nobody wrote'],
    ['readsSharedTooEarly', 'A read of 4 bytes '],
    ['writesSharedTooEarly', 'A read of 4 bytes races with the write of another thread (block 0, thread 1)'],
    ['writesFromTwoBlocks', 'A write of 4 bytes races with the write of another thread (block 1, thread 0)'],
    ['readsWhatAnotherBlockWrote', 'A read of 4 bytes races with the write of another thread (block 1, thread 0)'],
    ['missesABarrier', '1 threads end, and others wait for them at a barrier'],
    ['leavesInt', 'a product leaves int'],
    ['leavesAnArray', 'an index is outside of its array'],
  ])('sees that a kernel %s', (kernel, finding) => {
    expect(() => run(kernel)).toThrow(finding)
    // And goes on.
    expect(() => run(kernel)).toThrow(finding)
  })

  it('sees that values are fetched that nobody wrote', () => {
    const pointer = device.memory.allocate(8, 'test', [2])
    device.upload(pointer, Float32Array.of(1))
    expect(() => device.download(pointer, new Float32Array(2))).toThrow('finds what nobody wrote')
    device.download(pointer, new Float32Array(1))
  })
})
