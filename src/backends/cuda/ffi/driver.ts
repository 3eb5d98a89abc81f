/**
 * The functions of the CUDA driver that dcml uses. Handles and device pointers are numbers.
 *
 * @see https://docs.nvidia.com/cuda/cuda-driver-api/
 * @module
 */

import { BackendUnavailableError, DcmlError, type NativeLibrary } from '../../../core/index.js'
import { NativeCalls } from './native-calls.js'

/** C types of parameters. Names with _v2 are those of 64-bit sizes: the plain ones are older forms. */
export const driverPrototypes = {
  cuInit: 'uint flags',
  cuDriverGetVersion: 'void *version',
  cuDeviceGetCount: 'void *count',
  cuDeviceGet: 'void *device, int ordinal',
  cuDeviceGetName: 'void *name, int length, int device',
  cuDeviceGetAttribute: 'void *value, int attribute, int device',
  cuDeviceGetUuid: 'void *uuid, int device',
  cuDeviceTotalMem_v2: 'void *bytes, int device',
  cuDevicePrimaryCtxRetain: 'void *context, int device',
  cuDevicePrimaryCtxRelease_v2: 'int device',
  cuCtxSetCurrent: 'uintptr_t context',
  cuMemAlloc_v2: 'void *pointer, size_t bytes',
  cuMemFree_v2: 'uintptr_t pointer',
  cuMemAllocManaged: 'void *pointer, size_t bytes, uint flags',
  cuMemAllocHost_v2: 'void *pointer, size_t bytes',
  cuMemFreeHost: 'uintptr_t pointer',
  cuMemGetInfo_v2: 'void *free, void *total',
  cuMemcpyHtoDAsync_v2: 'uintptr_t to, const void *from, size_t bytes, uintptr_t stream',
  cuMemcpyDtoHAsync_v2: 'void *to, uintptr_t from, size_t bytes, uintptr_t stream',
  cuMemcpyDtoDAsync_v2: 'uintptr_t to, uintptr_t from, size_t bytes, uintptr_t stream',
  cuStreamCreate: 'void *stream, uint flags',
  cuStreamDestroy_v2: 'uintptr_t stream',
  cuStreamWaitEvent: 'uintptr_t stream, uintptr_t event, uint flags',
  cuStreamSynchronize: 'uintptr_t stream',
  cuEventCreate: 'void *event, uint flags',
  cuEventDestroy_v2: 'uintptr_t event',
  cuEventRecord: 'uintptr_t event, uintptr_t stream',
  cuEventQuery: 'uintptr_t event',
  cuEventSynchronize: 'uintptr_t event',
  cuStreamBeginCapture_v2: 'uintptr_t stream, int mode',
  cuStreamEndCapture: 'uintptr_t stream, void *graph',
  cuGraphInstantiateWithFlags: 'void *executable, uintptr_t graph, uint64_t flags',
  cuGraphLaunch: 'uintptr_t executable, uintptr_t stream',
  cuGraphExecDestroy: 'uintptr_t executable',
  cuGraphDestroy: 'uintptr_t graph',
  cuModuleLoadData: 'void *module, const void *image',
  cuModuleUnload: 'uintptr_t module',
  cuModuleGetFunction: 'void *function, uintptr_t module, const char *name',
  cuLaunchKernel:
    'uintptr_t function, uint gridX, uint gridY, uint gridZ, uint blockX, uint blockY, uint blockZ, ' +
    'uint sharedBytes, uintptr_t stream, uintptr_t parameters, uintptr_t extra',
} as const

/** Values of `cuda.h`, by their names there. */
export const driverValues = {
  CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT: 16,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR: 75,
  CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR: 76,
  /** The stream does not wait for other libraries' work on the default one. */
  CU_STREAM_NON_BLOCKING: 1,
  CU_EVENT_DISABLE_TIMING: 2,
  /** Any stream may use the memory. */
  CU_MEM_ATTACH_GLOBAL: 1,
  /** Memory may be taken during a capture. */
  CU_STREAM_CAPTURE_MODE_RELAXED: 2,
  CUDA_ERROR_OUT_OF_MEMORY: 2,
  CUDA_ERROR_STUB_LIBRARY: 34,
  CUDA_ERROR_DEVICE_UNAVAILABLE: 46,
  CUDA_ERROR_NO_DEVICE: 100,
  CUDA_ERROR_NO_BINARY_FOR_GPU: 209,
  CUDA_ERROR_UNSUPPORTED_PTX_VERSION: 222,
  CUDA_ERROR_OPERATING_SYSTEM: 304,
  CUDA_ERROR_NOT_READY: 600,
  CUDA_ERROR_ILLEGAL_ADDRESS: 700,
  CUDA_ERROR_LAUNCH_TIMEOUT: 702,
  CUDA_ERROR_ASSERT: 710,
  CUDA_ERROR_HARDWARE_STACK_ERROR: 714,
  CUDA_ERROR_ILLEGAL_INSTRUCTION: 715,
  CUDA_ERROR_MISALIGNED_ADDRESS: 716,
  CUDA_ERROR_INVALID_ADDRESS_SPACE: 717,
  CUDA_ERROR_INVALID_PC: 718,
  CUDA_ERROR_LAUNCH_FAILED: 719,
  CUDA_ERROR_SYSTEM_NOT_READY: 802,
  CUDA_ERROR_SYSTEM_DRIVER_MISMATCH: 803,
  CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE: 804,
  CUDA_ERROR_UNKNOWN: 999,
} as const

const errors = driverValues

/** What helps against an error of the driver, by its code. */
const remedies: Readonly<Record<number, string>> = {
  [errors.CUDA_ERROR_STUB_LIBRARY]:
    'What was found stands for the driver when programs are built: take the folder of stubs out of LD_LIBRARY_PATH',
  [errors.CUDA_ERROR_DEVICE_UNAVAILABLE]: 'Another process has the GPU for itself: nvidia-smi shows which',
  [errors.CUDA_ERROR_NO_DEVICE]:
    'Check that nvidia-smi lists a GPU, and that CUDA_VISIBLE_DEVICES does not hide it; start a container with access to ' +
    'GPUs (--gpus all)',
  [errors.CUDA_ERROR_NO_BINARY_FOR_GPU]: 'The GPU is newer than NVRTC: install a newer CUDA toolkit',
  [errors.CUDA_ERROR_UNSUPPORTED_PTX_VERSION]:
    'The driver is older than NVRTC: update the driver, or install an older NVRTC',
  [errors.CUDA_ERROR_OPERATING_SYSTEM]:
    'The process may not open /dev/nvidia*: start a container with access to GPUs (--gpus all)',
  [errors.CUDA_ERROR_SYSTEM_NOT_READY]:
    'Wait until the machine has started its GPUs (nvidia-fabricmanager), then try again',
  [errors.CUDA_ERROR_SYSTEM_DRIVER_MISMATCH]:
    'The driver in the kernel and its library differ: restart the machine after the update of the driver',
  [errors.CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE]:
    'The GPU does not support the compatibility package of CUDA: update the driver instead',
  [errors.CUDA_ERROR_UNKNOWN]: 'Look for errors of the GPU in the log of the system (dmesg), and restart the machine',
}

/** Errors after which nothing runs any more in this process. */
const KERNEL_FAILURES: ReadonlySet<number> = new Set([
  errors.CUDA_ERROR_ILLEGAL_ADDRESS,
  errors.CUDA_ERROR_LAUNCH_TIMEOUT,
  errors.CUDA_ERROR_ASSERT,
  errors.CUDA_ERROR_HARDWARE_STACK_ERROR,
  errors.CUDA_ERROR_ILLEGAL_INSTRUCTION,
  errors.CUDA_ERROR_MISALIGNED_ADDRESS,
  errors.CUDA_ERROR_INVALID_ADDRESS_SPACE,
  errors.CUDA_ERROR_INVALID_PC,
  errors.CUDA_ERROR_LAUNCH_FAILED,
])

/** The driver of this process. */
export class Driver {
  readonly calls: NativeCalls<keyof typeof driverPrototypes>
  readonly #library: NativeLibrary

  constructor(library: NativeLibrary) {
    this.#library = library
    this.calls = new NativeCalls(library, driverPrototypes, (name, code) => this.error(name, code))
  }

  /** The CUDA version that the driver supports, such as `{ major: 13, minor: 0 }`. */
  version(): { major: number; minor: number } {
    const version = this.calls.int('cuDriverGetVersion')
    return { major: Math.floor(version / 1000), minor: Math.floor((version % 1000) / 10) }
  }

  /**
   * What to throw for a code.
   *
   * @param what - The function that returned it, or the kernel that ran.
   */
  error(what: string, code: number): DcmlError {
    const text = `${what} failed: ${this.#text('cuGetErrorName', code)}, ${this.#text('cuGetErrorString', code)}`
    const isFull = what === 'cuDevicePrimaryCtxRetain' && code === errors.CUDA_ERROR_OUT_OF_MEMORY
    const remedy = isFull ? 'Other processes fill the memory of the GPU: nvidia-smi shows which' : remedies[code]
    if (what === 'cuInit' || remedy) return new BackendUnavailableError(text, { ...(remedy && { remedy }) })
    if (KERNEL_FAILURES.has(code))
      return new DcmlError(text, {
        remedy:
          'Restart the process, for this one can use the GPU no more. A kernel before this call is the cause: ' +
          'DCML_CUDA_DEBUG=1 waits after each and names the one that fails',
      })
    return new DcmlError(text)
  }

  #text(name: 'cuGetErrorName' | 'cuGetErrorString', code: number): string {
    const out = ['']
    const ask = this.#library.func(`int ${name}(int code, _Out_ const char **text)`)
    return ask(code, out) === 0 ? out[0]! : `error ${code}`
  }
}
