import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CudaBackend } from '../../src/backends/cuda/cuda-backend.js'
import { CudaDevice } from '../../src/backends/cuda/cuda-device.js'
import { Driver } from '../../src/backends/cuda/ffi/driver.js'
import { loadLibrary } from '../../src/backends/cuda/ffi/libraries.js'
import { Nvrtc } from '../../src/backends/cuda/ffi/nvrtc.js'
import { thisMachine } from '../../src/backends/cuda/ffi/places.js'
import { defineModule, each } from '../../src/backends/cuda/kernels/kernel-module.js'
import { BackendUnavailableError, ConfigError, DcmlError, loadKoffi } from '../../src/core/index.js'
import { buildStandIn, hasDriver } from './stand-in.js'

const standIn = buildStandIn()
if ('reason' in standIn) console.log(`Skipped: errors of the CUDA backend. ${standIn.reason}`)

/** What a promise is rejected with. */
const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error as Error,
  )

describe.skipIf('reason' in standIn)('errors of the CUDA backend', () => {
  const { env } = standIn as { env: Record<string, string> }
  let folder: string

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'dcml-cuda-'))
    Object.assign(process.env, env)
  })
  afterEach(() => {
    rmSync(folder, { recursive: true })
    for (const name of ['STAND_IN_NO_DEVICE', 'STAND_IN_DRIVER', 'STAND_IN_CAPABILITY', 'DCML_CUDA_DEBUG'])
      delete process.env[name]
  })

  /** Functions of the stand-in that tests alone call. */
  async function control() {
    const loaded = await loadKoffi()
    if ('reason' in loaded) throw new Error(loaded.reason)
    const { library } = loadLibrary(loaded.koffi, 'driver', thisMachine())
    return {
      library,
      setCapacity: library.func('int standInCapacity(size_t bytes)'),
      fail: library.func('int standInFail(int code)'),
    }
  }

  it.skipIf(hasDriver)('say that there is no driver, and where it was looked for', async () => {
    process.env.DCML_CUDA_LIBRARIES = folder
    const error = await errorOf(CudaDevice.open())
    expect(error).toBeInstanceOf(BackendUnavailableError)
    expect(error!.message).toContain(`${folder}/libcuda.so.1`)
  })

  it('say that there is no device', async () => {
    process.env.STAND_IN_NO_DEVICE = '1'
    const error = await errorOf(CudaDevice.open())
    expect(error).toBeInstanceOf(BackendUnavailableError)
    expect(error!.message).toMatch(/CUDA_ERROR_NO_DEVICE.*nvidia-smi/)
  })

  it('say that libraries are too new for the driver', async () => {
    process.env.STAND_IN_DRIVER = '12080'
    const error = await errorOf(CudaDevice.open())
    expect(error).toBeInstanceOf(BackendUnavailableError)
    expect(error!.message).toMatch(/NVRTC is too new for this driver.*CUDA 12.*libnvrtc\.so\.13/)
  })

  it('name the tensor that there is no room for, and what the pool holds', async () => {
    const { setCapacity } = await control()
    const device = await CudaDevice.open()
    setCapacity(100 * 2 ** 20)
    const first = device.memory.allocate(40 * 2 ** 20, 'float32 tensor', [10, 2 ** 20])
    const allocate = () => device.memory.allocate(40 * 2 ** 20, 'float32 tensor', [10240, 1024])
    expect(allocate).toThrow(ConfigError)
    expect(allocate).toThrow(/float32 tensor of shape \[10240, 1024\].*40\.0 MiB in a row.*of 100\.0 MiB.*batchSize/)
    // What was given back serves another size, after the pool gave it back to the driver.
    device.memory.release(first)
    device.memory.allocate(50 * 2 ** 20, 'float32 tensor', [1])
    setCapacity(0)
  })

  it('name the kernel that failed, when every launch is waited for', async () => {
    process.env.DCML_CUDA_DEBUG = '1'
    const { fail } = await control()
    const device = await CudaDevice.open()
    const module = defineModule('test', 'KERNEL nothing(int n) { EACH(i, n) {} }')
    const launch = () => device.launch(module, 'nothing', { arguments: 'n' }, each(1), [1])
    expect(launch).not.toThrow()
    fail(719)
    expect(launch).toThrow(/The kernel nothing failed: CUDA_ERROR_LAUNCH_FAILED.*Restart the process/)
    fail(0)
  })

  it('are told as they were when they end a capture, and leave the scratch of what was captured to all', async () => {
    const device = await CudaDevice.open()
    const failing = () => {
      device.memory.release(device.memory.scratch(1000, 'test', [1000]))
      device.finish()
    }
    expect(() => device.capture(failing)).toThrow(/cuStreamSynchronize failed/)
    const { bytesReserved } = device.memory
    device.memory.scratch(1000, 'test', [1000])
    expect(device.memory.bytesReserved).toBe(bytesReserved)
    device.capture(() => {}).dispose()
  })

  it('of kernels show up in a timing, which waits for them', async () => {
    const { fail } = await control()
    const backend = new CudaBackend(await CudaDevice.open())
    expect((await backend.time(() => {})).kernelMs).toBeGreaterThanOrEqual(0)
    fail(719)
    expect((await errorOf(backend.time(() => {})))!.message).toContain('CUDA_ERROR_LAUNCH_FAILED')
    fail(0)
  })

  it('name a tensor with more elements than kernels count', async () => {
    const backend = new CudaBackend(await CudaDevice.open())
    const make = () => backend.output([2 ** 16, 2 ** 16], 'bool')
    expect(make).toThrow(ConfigError)
    expect(make).toThrow(/bool tensor of shape \[65536, 65536\].*at most 2147483647/)
  })

  it('refuse a recording in which values are asked for', async () => {
    const backend = new CudaBackend(await CudaDevice.open())
    const { dataId } = backend.makeTensorInfo([2], 'float32', Float32Array.of(1, 2))
    const { result, recording } = backend.recordCalls(() => backend.read(dataId))
    expect(recording.refusal).toContain('read in JavaScript')
    expect([...((await result) as Float32Array)]).toEqual([1, 2])
  })

  it('do not come from a library that garbage collection closed', async () => {
    const loaded = await loadKoffi()
    if ('reason' in loaded) throw new Error(loaded.reason)
    const builtIns = join(folder, 'libnvrtc-builtins.so.13.0')
    for (const file of [join(folder, 'libnvrtc.so.13'), builtIns])
      copyFileSync(join(env.DCML_CUDA_LIBRARIES!, 'libnvrtc.so.13'), file)
    process.env.DCML_CUDA_LIBRARIES = folder
    loadLibrary(loaded.koffi, 'nvrtc', thisMachine())
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    for (let i = 0; i < 5; i++) {
      collect()
      // koffi closes libraries when the event loop comes round.
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(readFileSync('/proc/self/maps', 'utf8')).toContain(builtIns)
  })

  it('give the messages of the compiler', async () => {
    const loaded = await loadKoffi()
    if ('reason' in loaded) throw new Error(loaded.reason)
    const nvrtc = new Nvrtc(loadLibrary(loaded.koffi, 'nvrtc', thisMachine()).library)
    const compile = () => nvrtc.compile('wrong', 'a-kernel.cu', nvrtc.targetFor(90))
    expect(compile).toThrow(DcmlError)
    expect(compile).toThrow(/refused a-kernel\.cu for sm_90[\s\S]*error/)
    expect(nvrtc.targetFor(100)).toEqual({ kind: 'ptx', architecture: 'compute_90' })
    expect(() => nvrtc.targetFor(50)).toThrow(/compute capability 7\.5 or newer/)
  })

  it('keep no kernel where nothing can be written, and one file for each module elsewhere', async () => {
    const module = defineModule('test', 'KERNEL twice(float *x, int n) { EACH(i, n) x[i] *= 2; }')
    const run = async () => {
      const device = await CudaDevice.open()
      const pointer = device.memory.allocate(8, 'float32 tensor', [2])
      device.upload(pointer, Float32Array.of(1, 2))
      device.launch(module, 'twice', { arguments: 'un' }, each(2), [pointer, 2])
      const values = new Float32Array(2)
      device.download(pointer, values)
      expect([...values]).toEqual([2, 4])
    }
    const cache = join(folder, 'cache')
    process.env.DCML_CUDA_CACHE = cache
    await run()
    const files = readdirSync(cache)
    expect(files).toEqual([expect.stringMatching(/^[0-9a-f]{64}\.cubin$/)])
    await run()
    expect(readdirSync(cache)).toEqual(files)
    // A file that was cut, as by a disk that was full or a machine that lost power.
    const [file] = files.map((name) => join(cache, name))
    const whole = readFileSync(file!)
    for (const length of [0, 100, whole.length - 1]) {
      writeFileSync(file!, whole.subarray(0, length))
      await run()
      expect(readFileSync(file!).length).toBe(whole.length)
    }
    // A folder that is a file.
    process.env.DCML_CUDA_CACHE = join(cache, files[0]!)
    await run()
    process.env.DCML_CUDA_CACHE = 'off'
    await run()
    // A GPU that is newer than NVRTC gets PTX.
    process.env.DCML_CUDA_CACHE = cache
    process.env.STAND_IN_CAPABILITY = '120'
    await run()
    expect(readdirSync(cache).filter((file) => file.endsWith('.ptx')).length).toBe(1)
    expect(existsSync('off')).toBe(false)
  })

  it('come from the driver with its names', async () => {
    const { library } = await control()
    expect(new Driver(library).error('cuSomething', 1).message).toBe(
      'cuSomething failed: CUDA_ERROR_OF_THE_STAND_IN, an error of the stand-in.',
    )
  })

  it.skipIf(hasDriver)('leave a library that is there and does not load with its reason', async () => {
    mkdirSync(join(folder, 'empty'))
    symlinkSync(join(folder, 'empty'), join(folder, 'libcuda.so.1'))
    process.env.DCML_CUDA_LIBRARIES = folder
    const error = await errorOf(CudaDevice.open())
    expect(error!.message).toMatch(/libcuda\.so\.1 \(.+\)/)
  })
})
