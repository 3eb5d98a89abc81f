import { describe, expect, it } from 'vitest'
import { loadLibrary } from '../../../../src/backends/cuda/ffi/libraries.js'
import { fileNames, folders, type Machine } from '../../../../src/backends/cuda/ffi/places.js'
import { BackendUnavailableError, type Koffi, type NativeLibrary } from '../../../../src/core/index.js'

/** A machine with these files. */
function machineWith(files: string[], env: Machine['env'] = {}): Machine {
  const list = (folder: string) => [
    ...new Set(
      files.filter((file) => file.startsWith(`${folder}/`)).map((file) => file.slice(folder.length + 1).split('/')[0]!),
    ),
  ]
  return { env, home: '/home/me', list }
}

/** Loads what is in the list, and notes the order. */
function loader(files: string[]) {
  const loaded: string[] = []
  const load = (file: string | null): NativeLibrary => {
    // The process itself: its `dlopen` keeps what was loaded.
    if (file === null) return { func: () => () => 1 } as unknown as NativeLibrary
    if (!files.includes(file)) throw new Error(`${file}: cannot open shared object file`)
    loaded.push(file)
    return {} as NativeLibrary
  }
  return { koffi: { load } as Koffi, loaded }
}

describe("where NVIDIA's libraries are looked for", () => {
  it('prefers what the system knows, then toolkits, then wheels of Python', () => {
    const machine = machineWith(
      [
        '/usr/local/cuda-13.0/lib64/libnvrtc.so.13',
        '/venv/lib/python3.12/site-packages/nvidia/cu13/lib/libnvrtc.so.13',
        '/opt/conda/lib/python3.11/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12',
        '/home/me/.local/lib/python3.11/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12',
      ],
      { VIRTUAL_ENV: '/venv', CUDA_PATH: '/opt/cuda', PATH: '/sbin:/opt/conda/bin:/bin' },
    )
    const found = folders('nvrtc', machine)
    const order = [
      '',
      '/opt/cuda/lib64',
      '/usr/local/cuda-13.0/lib64',
      '/venv/lib/python3.12/site-packages/nvidia/cu13/lib',
      '/opt/conda/lib/python3.11/site-packages/nvidia/cuda_nvrtc/lib',
      '/home/me/.local/lib/python3.11/site-packages/nvidia/cuda_nvrtc/lib',
    ]
    expect(order.map((folder) => found.indexOf(folder))).toEqual(
      order.map((folder) => found.indexOf(folder)).sort((a, b) => a - b),
    )
    expect(order.every((folder) => found.includes(folder))).toBe(true)
  })

  it('looks only in the folders of DCML_CUDA_LIBRARIES when that is set, but for the driver', () => {
    const machine = machineWith(['/usr/local/cuda/lib64/libcublas.so.13'], { DCML_CUDA_LIBRARIES: '/one:/two' })
    expect(folders('cublas', machine)).toEqual(['/one', '/two'])
    expect(folders('driver', machine).slice(0, 4)).toEqual(['/one', '/two', '', '/usr/lib/wsl/lib'])
  })

  it('names the files by version, the newest first', () => {
    expect(fileNames('cublas')).toEqual(['libcublas.so.13', 'libcublas.so.12'])
    expect(fileNames('driver')).toEqual(['libcuda.so.1'])
  })
})

describe('loading a library', () => {
  const wheel = '/venv/lib/python3.12/site-packages/nvidia/cu13/lib'

  it('loads what NVRTC opens by name before NVRTC itself', () => {
    const files = [
      `${wheel}/libnvrtc.so.13`,
      `${wheel}/libnvrtc-builtins.so.13.0`,
      `${wheel}/libnvrtc-builtins.so.12.8`,
    ]
    const { koffi, loaded } = loader(files)
    const { file } = loadLibrary(koffi, 'nvrtc', machineWith(files, { VIRTUAL_ENV: '/venv' }), 13)
    expect(file).toBe(files[0])
    expect(loaded).toEqual([files[1], files[0]])
  })

  it('takes an older library for an older driver', () => {
    const files = ['/usr/local/cuda/lib64/libcublas.so.13', '/usr/local/cuda/lib64/libcublas.so.12']
    const { koffi } = loader(files)
    expect(loadLibrary(koffi, 'cublas', machineWith(files), 12).file).toBe(files[1])
    expect(loadLibrary(koffi, 'cublas', machineWith(files), 13).file).toBe(files[0])
  })

  it('says that a library is too new for the driver, and which to install', () => {
    const files = ['/usr/local/cuda/lib64/libcublas.so.13']
    const load = () => loadLibrary(loader(files).koffi, 'cublas', machineWith(files), 12)
    expect(load).toThrow(BackendUnavailableError)
    expect(load).toThrow(/too new for this driver.*libcublas\.so\.13.*nvidia-cublas-cu12/)
  })

  it('says that the driver is older than all that dcml knows', () => {
    const load = () => loadLibrary(loader([]).koffi, 'nvrtc', machineWith([]), 11)
    expect(load).toThrow(/driver is too old.*CUDA 12 or newer.*CUDA 11.*Update/)
  })

  it('lists every place when there is none, with the reason of a file that does not load', () => {
    const broken = '/usr/local/cuda/lib64/libnvrtc.so.13'
    const machine = machineWith([broken])
    const load = () => loadLibrary(loader([]).koffi, 'nvrtc', machine, 13)
    expect(load).toThrow(BackendUnavailableError)
    let message = ''
    try {
      load()
    } catch (error) {
      message = (error as Error).message
    }
    expect(message).toContain(`${broken} (${broken}: cannot open shared object file)`)
    for (const folder of folders('nvrtc', machine))
      for (const name of fileNames('nvrtc')) expect(message).toContain(folder === '' ? name : `${folder}/${name}`)
    expect(message).toMatch(/nvidia-cuda-nvrtc.*DCML_CUDA_LIBRARIES/)
  })
})
