/** Where NVIDIA's libraries may lie on this machine. @module */

/** A library of NVIDIA. The driver comes with the GPU's driver, the others with the CUDA toolkit or Python wheels. */
export type CudaLibraryName = 'driver' | 'nvrtc' | 'cublas' | 'nccl'

/** What is asked of the machine. */
export interface Machine {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly home: string
  /** Names in a folder; none where there is no such folder. */
  list(folder: string): string[]
}

/**
 * A variable that names the folders, parted by colons, where alone libraries are looked for; the driver, of which a
 * machine has one, also where it lies by rule.
 */
export const FOLDERS_VARIABLE = 'DCML_CUDA_LIBRARIES'

/** Versions of CUDA that the backend knows, the newest first. */
export const cudaMajors = [13, 12] as const
export type CudaMajor = (typeof cudaMajors)[number]

/** The file names of a library, the preferred one first. */
export function fileNames(name: CudaLibraryName, majors: readonly CudaMajor[] = cudaMajors): string[] {
  if (name === 'driver') return ['libcuda.so.1']
  if (name === 'nccl') return ['libnccl.so.2']
  return majors.map((major) => `lib${name}.so.${major}`)
}

/** Folders of the wheels in `nvidia/`, by library; those of CUDA 13 share one. */
const wheelFolders: Record<CudaLibraryName, string[]> = {
  driver: [],
  nvrtc: ['cu13/lib', 'cuda_nvrtc/lib'],
  cublas: ['cu13/lib', 'cublas/lib'],
  nccl: ['nccl/lib'],
}

/**
 * The folders to look in, in order; '' stands for what the system's loader finds by itself.
 *
 * @example
 * folders('cublas', thisMachine()) // ['', '/usr/local/cuda/lib64', ...]
 */
export function folders(name: CudaLibraryName, machine: Machine): string[] {
  const named = machine.env[FOLDERS_VARIABLE]?.split(':').filter(Boolean) ?? []
  const system = ['/usr/lib/x86_64-linux-gnu', '/usr/lib/aarch64-linux-gnu', '/usr/lib64']
  // WSL and containers put the driver elsewhere.
  if (name === 'driver') return [...named, '', '/usr/lib/wsl/lib', '/usr/local/nvidia/lib64', ...system]
  if (named.length > 0) return named
  return ['', ...toolkits(machine), ...system, ...wheels(name, machine)]
}

function toolkits({ env, list }: Machine): string[] {
  const local = list('/usr/local')
    .filter((folder) => folder.startsWith('cuda'))
    .map((folder) => `/usr/local/${folder}`)
  const roots = [env.CUDA_PATH, env.CUDA_HOME, ...local].filter((root) => root !== undefined && root !== '')
  return roots.map((root) => `${root}/lib64`)
}

function wheels(name: CudaLibraryName, { env, home, list }: Machine): string[] {
  // Whose Python runs when it is called by name: that of conda, of a virtual environment, of the system.
  const onPath = (env.PATH ?? '').split(':').flatMap((folder) => /^(.+)\/bin\/?$/.exec(folder)?.[1] ?? [])
  const roots = [env.VIRTUAL_ENV, env.CONDA_PREFIX, ...onPath, '/usr/local', '/usr', `${home}/.local`].filter(Boolean)
  return [...new Set(roots)]
    .flatMap((root) => [`${root}/lib`, `${root}/lib64`])
    .flatMap((lib) => list(lib).flatMap((folder) => (folder.startsWith('python3') ? [`${lib}/${folder}`] : [])))
    .flatMap((python) => ['site-packages', 'dist-packages'].map((kind) => `${python}/${kind}/nvidia`))
    .filter((nvidia) => list(nvidia).length > 0)
    .flatMap((nvidia) => wheelFolders[name].map((folder) => `${nvidia}/${folder}`))
}

/** This machine; Node only. */
export function thisMachine(): Machine {
  const { readdirSync } = process.getBuiltinModule('node:fs')
  const list = (folder: string): string[] => {
    try {
      return readdirSync(folder)
    } catch {
      return []
    }
  }
  return { env: process.env, home: homeFolder() ?? '/root', list }
}

/** The user's folder; undefined for a user that has none, as in some containers. Node only. */
export function homeFolder(): string | undefined {
  try {
    return process.getBuiltinModule('node:os').homedir()
  } catch {
    return undefined
  }
}
