/** WebGPU in Node: Dawn, from the package `webgpu`. It is no dependency of dcml: it may be missing. @module */

/** What the package gives. */
interface Dawn {
  create(options: string[]): GPU
  /** The names that a browser has in its global scope, `GPUBufferUsage` and others. */
  globals: object
}

/** The WebGPU of a browser, of a worker or of Node, or why there is none. */
export async function findWebgpu(): Promise<{ gpu: GPU } | { reason: string }> {
  const scope = globalThis as { navigator?: { gpu?: GPU }; process?: NodeJS.Process }
  // A worker and Node have `navigator` too, but `gpu` only where there is WebGPU.
  if (scope.navigator?.gpu) return { gpu: scope.navigator.gpu }
  if (scope.process?.versions?.node === undefined)
    return { reason: 'There is no navigator.gpu: it needs a browser with WebGPU, on a page served over https.' }
  try {
    // A specifier in a variable: bundlers leave the optional package alone.
    const name = 'webgpu'
    const dawn = (await import(/* @vite-ignore */ /* webpackIgnore: true */ name)) as Dawn
    const gpu = dawn.create([])
    // Where tfjs looks. Node 20 has no navigator, later ones have one without WebGPU.
    Object.assign(globalThis, dawn.globals)
    if (scope.navigator) Object.defineProperty(scope.navigator, 'gpu', { value: gpu, configurable: true })
    else Object.defineProperty(globalThis, 'navigator', { value: { gpu }, configurable: true })
    return { gpu }
  } catch (error) {
    const { code } = error as { code?: string }
    // Test runners and bundlers give no code.
    return code === 'ERR_MODULE_NOT_FOUND' || code === undefined
      ? { reason: 'There is no navigator.gpu. In Node, install what brings it: npm install webgpu.' }
      : { reason: `The package webgpu does not load: ${(error as Error).message.split('\n')[0]}` }
  }
}
