/** Layers and what they hold. @module */

import type * as tfl from '@tensorflow/tfjs-layers'

/** Where layers of tfjs keep layers of their own, which it does not declare. */
export interface LayerNode<Node> {
  cell?: Node
  cells?: Node[]
  layer?: Node
  forwardLayer?: Node
  backwardLayer?: Node
  layers?: Node[]
  getClassName(): string
}

/**
 * All layers of a model, each once: also those of nested models, of wrappers, and the cells of recurrent layers, before
 * the layer that holds them.
 */
export function walkLayers<Node extends LayerNode<Node>>(model: tfl.LayersModel): Node[] {
  const found = new Set<Node>()
  const visit = (node: Node) => {
    for (const inner of [node.layer, node.forwardLayer, node.backwardLayer, node.cell]) if (inner) visit(inner)
    for (const inner of [...(node.layers ?? []), ...(node.cells ?? [])]) visit(inner)
    found.add(node)
  }
  for (const layer of model.layers) visit(layer as unknown as Node)
  return [...found]
}
