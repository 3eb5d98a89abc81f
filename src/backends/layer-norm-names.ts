/**
 * Names in tfjs of the kernels of layer normalization; apart, for whoever must not load tfjs-layers.
 * @module
 */

export const layerNormKernelName = 'DcmlLayerNorm'
export const layerNormGradKernelName = 'DcmlLayerNormGrad'
export const layerNormParameterGradKernelName = 'DcmlLayerNormParameterGrad'
