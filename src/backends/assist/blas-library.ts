/**
 * Finds a BLAS on this machine and loads it through koffi. Neither is a dependency of dcml: both may be missing.
 * @module
 */

import { type Koffi, loadKoffi, type NativeLibrary } from '../../core/index.js'

/**
 * A product of row-major float32 matrices: c = a b + beta c, with `cblas_sgemm`'s arguments in its order, but that
 * pointers are addresses in this process.
 */
type Sgemm = (
  order: number,
  transposeA: number,
  transposeB: number,
  m: number,
  n: number,
  k: number,
  alpha: number,
  a: number,
  rowStrideA: number,
  b: number,
  rowStrideB: number,
  beta: number,
  c: number,
  rowStrideC: number,
) => void

/** A BLAS that computes in the thread that calls it. */
export interface BlasLibrary {
  /** With its version where it tells, such as 'OpenBLAS 0.3.21'. */
  readonly name: string
  readonly sgemm: Sgemm
  /** Address of a view's first element in this process. */
  addressOf(view: ArrayBufferView): number
}

/** A variable that names the library's file, when it is none of those known. */
const FILE_VARIABLE = 'DCML_BLAS'

const files: Partial<Record<NodeJS.Platform, string[]>> = {
  linux: ['libopenblas.so.0', 'libopenblas.so', 'libmkl_rt.so.2', 'libmkl_rt.so', 'libblis.so.4', 'libblis.so'],
  darwin: ['/System/Library/Frameworks/Accelerate.framework/Accelerate', 'libopenblas.dylib'],
  win32: ['libopenblas.dll', 'openblas.dll', 'mkl_rt.2.dll', 'mkl_rt.dll'],
}

const howToInstall: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'Install one, such as libopenblas0-pthread (Debian, Ubuntu) or openblas (Fedora, Arch)',
  darwin: 'Install one: brew install openblas',
  win32: 'Install OpenBLAS and put libopenblas.dll on the PATH',
}

let finding: Promise<{ library: BlasLibrary } | { reason: string }> | undefined

/** The first BLAS that loads, or why there is none. Looked for once in each thread. */
export function findBlas(): Promise<{ library: BlasLibrary } | { reason: string }> {
  finding ??= find()
  return finding
}

async function find(): Promise<{ library: BlasLibrary } | { reason: string }> {
  const loaded = await loadKoffi()
  if ('reason' in loaded) return { reason: `${loaded.reason} Leave out the assist otherwise.` }
  const own = process.env[FILE_VARIABLE]
  const candidates = own ? [own] : (files[process.platform] ?? [])
  for (const file of candidates) {
    const library = open(loaded.koffi, file)
    if (library) return { library }
  }
  const how = howToInstall[process.platform] ?? 'Install one'
  return own
    ? { reason: `${FILE_VARIABLE} names ${own}, which does not load as a BLAS with cblas_sgemm. Mend or unset it.` }
    : { reason: `No BLAS was found (${candidates.join(', ')}). ${how}, or name its file in ${FILE_VARIABLE}.` }
}

function open(koffi: Koffi, file: string): BlasLibrary | undefined {
  try {
    const handle = koffi.load(file)
    // Addresses as numbers: reaching the function costs a third of what views would.
    const sgemm = handle.func(
      'void cblas_sgemm(int order, int transposeA, int transposeB, int m, int n, int k, float alpha, ' +
        'uintptr_t a, int lda, uintptr_t b, int ldb, float beta, uintptr_t c, int ldc)',
    ) as Sgemm
    const name = makers.map((start) => attempt(() => start(handle))).find((found) => found !== undefined)
    return { name: name ?? file.split(/[\\/]/).at(-1)!, sgemm, addressOf: (view) => Number(koffi.address(view)) }
  } catch {
    return undefined
  }
}

/** For each maker: sets its library to one thread and tells its name; throws when the library is not of that maker. */
const makers: readonly ((library: NativeLibrary) => string)[] = [
  (library) => {
    library.func('void openblas_set_num_threads(int threads)')(1)
    const [name, version] = (library.func('const char *openblas_get_config(void)')() as string).split(' ')
    return `${name} ${version}`
  },
  (library) => {
    library.func('int MKL_Set_Interface_Layer(int layer)')(0)
    library.func('void MKL_Set_Num_Threads(int threads)')(1)
    const text = Buffer.alloc(200)
    library.func('void MKL_Get_Version_String(void *text, int length)')(text, text.length)
    return `MKL ${/\d{4}[\d.]*/.exec(text.toString('latin1'))?.[0] ?? ''}`.trim()
  },
  (library) => {
    library.func('void bli_thread_set_num_threads(int64_t threads)')(1)
    return `BLIS ${library.func('const char *bli_info_get_version_str(void)')()}`
  },
  (library) => {
    // BLAS_THREADING_SINGLE_THREADED; macOS 12 or newer.
    library.func('int BLASSetThreading(int threading)')(1)
    return 'Accelerate'
  },
]

function attempt<T>(run: () => T): T | undefined {
  try {
    return run()
  } catch {
    return undefined
  }
}
