/**
 * Finds out which backends work here. A probe registers its backend in tfjs when it is available, and changes nothing
 * else: which backend is set stays as it was.
 * @module
 */

import * as tf from '@tensorflow/tfjs-core'
import { type BackendName, type BackendReport, softwareGpu } from './backend-report.js'
import { kernelFeatures, registerWasmBackend } from './wasm/register.js'
import { findWebgpu } from './webgpu/dawn.js'
import { mendCast } from './webgpu/mend-webgpu.js'

/** A report without the name. */
type Finding = Omit<BackendReport, 'name'>

/** What browsers of different age say of an adapter. */
type AdapterInfo = Partial<GPUAdapterInfo> & { isFallbackAdapter?: boolean }

const unavailable = (reason: string): Finding => ({ available: false, reason, features: [] })

const probes: Record<BackendName, () => Promise<Finding>> = {
  cuda: probeCuda,
  webgpu: probeWebgpu,
  webgl: probeWebgl,
  tensorflow: probeTensorflow,
  wasm: probeWasm,
  cpu: async () => {
    await import('@tensorflow/tfjs-backend-cpu')
    return { available: true, features: [] }
  },
}

/** Whether one backend works here; never throws. */
export async function probeBackend(name: BackendName): Promise<BackendReport> {
  try {
    return { name, ...(await probes[name]()) }
  } catch (error) {
    return { name, ...unavailable(`It failed to start: ${messageOf(error)}`) }
  }
}

async function probeCuda(): Promise<Finding> {
  if (!isNode()) return unavailable('It needs Node: a browser reaches a GPU through WebGPU.')
  const { registerCudaBackend } = await import('./cuda/register.js')
  try {
    const { name, memoryBytes, features, chosen } = await registerCudaBackend()
    const which = chosen.count > 1 ? `, number ${chosen.index} of ${chosen.count}` : ''
    return { available: true, device: `${name}, ${(memoryBytes / 2 ** 30).toFixed(1)} GiB${which}`, features }
  } catch (error) {
    return unavailable((error as Error).message)
  }
}

async function probeWebgpu(): Promise<Finding> {
  const found = await findWebgpu()
  if ('reason' in found) return unavailable(found.reason)
  const adapter = await found.gpu.requestAdapter()
  if (adapter === null) return unavailable('WebGPU is here, but it offers no adapter: no GPU, or it is blocked.')
  const missing = await register('webgpu', '@tensorflow/tfjs-backend-webgpu')
  if (missing !== undefined) return unavailable(missing)
  mendCast()
  // Older browsers do not say which adapter it is.
  const { vendor, architecture, isFallbackAdapter } = (adapter as { info?: AdapterInfo }).info ?? {}
  const device = [vendor, architecture].filter(Boolean).join(' ')
  const features = [...adapter.features, ...(isFallbackAdapter === true ? [softwareGpu] : [])]
  return { available: true, ...(device && { device }), features }
}

async function probeWebgl(): Promise<Finding> {
  const canvas =
    typeof document !== 'undefined'
      ? document.createElement('canvas')
      : typeof OffscreenCanvas !== 'undefined'
        ? new OffscreenCanvas(1, 1)
        : undefined
  if (canvas === undefined)
    return unavailable('It needs a browser: there is neither a document nor an OffscreenCanvas.')
  const context = canvas.getContext('webgl2') as WebGL2RenderingContext | null
  if (context === null) return unavailable('The browser gives no WebGL 2 context: no GPU, or it is blocked.')
  const device = rendererOf(context)
  // Browsers keep few contexts alive; this one was only for the question.
  context.getExtension('WEBGL_lose_context')?.loseContext()
  await import('@tensorflow/tfjs-backend-webgl')
  const isSoftware = /swiftshader|llvmpipe|softpipe|software|basic render/i.test(device)
  return { available: true, device, features: ['webgl2', ...(isSoftware ? [softwareGpu] : [])] }
}

function rendererOf(context: WebGL2RenderingContext): string {
  const info = context.getExtension('WEBGL_debug_renderer_info')
  return String(context.getParameter(info === null ? context.RENDERER : info.UNMASKED_RENDERER_WEBGL))
}

async function probeTensorflow(): Promise<Finding> {
  if (!isNode()) return unavailable('It needs Node: the TensorFlow library does not run in a browser.')
  const missing = await register('tensorflow', '@tensorflow/tfjs-node')
  return missing === undefined ? { available: true, features: [] } : unavailable(missing)
}

async function probeWasm(): Promise<Finding> {
  const reason = await registerWasmBackend()
  if (reason !== undefined) return unavailable(reason)
  const features = kernelFeatures()
  return { available: true, device: 'CPU', features }
}

/**
 * Makes sure that a backend from an optional package is registered in tfjs.
 *
 * @returns Why it is not, or undefined when it is.
 */
async function register(tfjsName: string, packageName: string): Promise<string | undefined> {
  const isRegistered = () => tf.findBackendFactory(tfjsName) !== null
  if (isRegistered()) return undefined
  const before = tf.engine().backendName
  try {
    // A specifier in a variable: bundlers leave the optional package alone.
    await import(/* @vite-ignore */ /* webpackIgnore: true */ packageName)
  } catch (error) {
    const code = (error as { code?: string }).code
    const isAbsent = code === 'ERR_MODULE_NOT_FOUND' || code === undefined
    if (isAbsent) return `The package ${packageName} is not installed. Install it, or import it in a bundle.`
    return `The package ${packageName} is installed but does not load: ${messageOf(error)}`
  }
  // tfjs-node makes itself the backend as it loads; being asked about is no reason for that.
  if (before !== tf.engine().backendName && before) await tf.setBackend(before)
  return isRegistered()
    ? undefined
    : `The package ${packageName} loads, but with another copy of @tensorflow/tfjs-core. Install the same version.`
}

const isNode = () => (globalThis as { process?: NodeJS.Process }).process?.versions?.node !== undefined

const messageOf = (error: unknown) => (error instanceof Error ? error.message.split('\n')[0]! : String(error))
