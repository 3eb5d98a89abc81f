/** Loads NVIDIA's libraries, or says every place where one was looked for. @module */

import { BackendUnavailableError, type Koffi, keepLoaded, type NativeLibrary } from '../../../core/index.js'
import {
  type CudaLibraryName,
  type CudaMajor,
  cudaMajors,
  FOLDERS_VARIABLE,
  fileNames,
  folders,
  type Machine,
} from './places.js'

/** A library that is loaded. */
export interface LoadedLibrary {
  readonly library: NativeLibrary
  /** As it was given to the system's loader: a path, or a bare name. */
  readonly file: string
}

const howToInstall: Record<CudaLibraryName, string> = {
  driver: "Install NVIDIA's driver for this GPU; in a container, start it with access to GPUs (--gpus all)",
  nvrtc: 'Install the CUDA toolkit, or: pip install nvidia-cuda-nvrtc (nvidia-cuda-nvrtc-cu12 for CUDA 12)',
  cublas: 'Install the CUDA toolkit, or: pip install nvidia-cublas (nvidia-cublas-cu12 for CUDA 12)',
  nccl: 'Install NCCL, or: pip install nvidia-nccl-cu13 (nvidia-nccl-cu12 for CUDA 12)',
}

const titles: Record<CudaLibraryName, string> = {
  driver: "NVIDIA's driver library",
  nvrtc: "NVIDIA's run-time compiler NVRTC",
  cublas: 'cuBLAS',
  nccl: 'NCCL',
}

/**
 * Loads a library from the first place that has it.
 *
 * @param driverMajor - The CUDA version of the driver, for those that must not be newer; undefined for the driver itself.
 * @throws {BackendUnavailableError} if it is nowhere, or only in a version that is too new for the driver.
 */
export function loadLibrary(
  koffi: Koffi,
  name: CudaLibraryName,
  machine: Machine,
  driverMajor: number = cudaMajors[0],
): LoadedLibrary {
  const oldest = Math.min(...cudaMajors)
  if (driverMajor < oldest)
    throw new BackendUnavailableError('The driver is too old.', {
      expected: `one that supports CUDA ${oldest} or newer; nvidia-smi shows the version`,
      received: `CUDA ${driverMajor}`,
      remedy: 'Update the driver',
    })
  const fits = (major: CudaMajor) => major <= driverMajor
  const tried: string[] = []
  const found = search(koffi, name, cudaMajors.filter(fits), machine, tried)
  if (found) return found
  const newer = search(koffi, name, name === 'driver' ? [] : cudaMajors.filter((major) => !fits(major)), machine, [])
  if (newer && name !== 'nccl')
    throw new BackendUnavailableError(`${titles[name]} is too new for this driver.`, {
      expected: `a library for CUDA ${driverMajor} or older`,
      received: newer.file,
      remedy: `Update the driver, or install the library for CUDA ${driverMajor}: pip install nvidia-${pip[name]}-cu${driverMajor}`,
    })
  const variable = machine.env[FOLDERS_VARIABLE] && name !== 'driver' ? 'mend' : 'name its folder in'
  throw new BackendUnavailableError(`${titles[name]} was not found.`, {
    received: `nothing that loads among ${tried.join(', ')}`,
    remedy: `${howToInstall[name]}; or ${variable} ${FOLDERS_VARIABLE}`,
  })
}

const pip: Record<CudaLibraryName, string> = { driver: '', nvrtc: 'cuda-nvrtc', cublas: 'cublas', nccl: 'nccl' }

function search(
  koffi: Koffi,
  name: CudaLibraryName,
  majors: readonly CudaMajor[],
  machine: Machine,
  tried: string[],
): LoadedLibrary | undefined {
  if (majors.length === 0) return undefined
  const places = folders(name, machine)
  for (const fileName of fileNames(name, majors))
    for (const folder of places) {
      const file = folder === '' ? fileName : `${folder}/${fileName}`
      if (folder !== '' && !machine.list(folder).includes(fileName)) {
        tried.push(file)
        continue
      }
      loadCompanions(koffi, fileName, folder, machine)
      try {
        const library = koffi.load(file)
        // The driver has threads of its own, and the thread that loads it may end before the process.
        keepLoaded(koffi, file, false)
        return { library, file }
      } catch (error) {
        // Of a file that is there the reason matters; of a bare name it is only that there is none.
        tried.push(folder === '' ? file : `${file} (${(error as Error).message.split('\n')[0]})`)
      }
    }
  return undefined
}

/**
 * What a library opens by name later, and would not find beside itself: NVRTC its built-ins, cuBLAS its lighter half. Of
 * the same version: those of others may lie in the same folder.
 */
const companions: Readonly<Record<string, RegExp>> = Object.fromEntries(
  cudaMajors.flatMap((major) => [
    [`libnvrtc.so.${major}`, new RegExp(`^libnvrtc-builtins\\.so\\.${major}\\.`)],
    [`libcublas.so.${major}`, new RegExp(`^libcublasLt\\.so\\.${major}$`)],
  ]),
)

function loadCompanions(koffi: Koffi, fileName: string, folder: string, machine: Machine): void {
  const pattern = companions[fileName]
  if (!pattern || folder === '') return
  for (const file of machine.list(folder)) {
    if (!pattern.test(file)) continue
    try {
      koffi.load(`${folder}/${file}`, { global: true })
      // NVRTC looks for it at every compilation, which may be long after the last garbage was collected.
      keepLoaded(koffi, `${folder}/${file}`, true)
    } catch {
      // The library itself says what is missing.
    }
  }
}
