/**
 * What the kernel module (assembly/) exports for whole layers; conventions as in exports.ts.
 * @module
 */

/** Softmax and cross-entropy, normalizations, recurrent cells, attention. */
export interface LayerExports {
  /** Softmax of each row, in place if wished; logarithm of it when isLog is 1. */
  softmax(isLog: number, input: number, out: number, rows: number, size: number): void
  /**
   * out[r] = -sum(target * log softmax(logits)) of each row, the targets float32 `[rows, size]`, or (pointer 0) the one
   * class that labels, int32 `[rows]`, name; a label outside names none.
   */
  crossEntropy(logits: number, targets: number, labels: number, out: number, rows: number, size: number): void
  /** out = dy[r] * (softmax(logits) * sum(target) - target), `[rows, size]`. */
  crossEntropyGrad(
    dy: number,
    logits: number,
    targets: number,
    labels: number,
    out: number,
    rows: number,
    size: number,
  ): void
  /** (x - mean) / sqrt(variance + epsilon) * scale + offset per channel of `[rows, channels]`; scale, offset may be 0. */
  batchNorm(
    x: number,
    mean: number,
    variance: number,
    scale: number,
    offset: number,
    out: number,
    rows: number,
    channels: number,
    epsilon: number,
  ): void
  /**
   * `batchNorm` with the mean and the variance of each channel over all rows, which are results too, `[channels]`. The
   * variance is the mean square of the distances to the mean.
   */
  batchNormTraining(
    x: number,
    scale: number,
    offset: number,
    out: number,
    mean: number,
    variance: number,
    rows: number,
    channels: number,
    epsilon: number,
  ): void
  /** Gradients of `batchNormTraining`, whose moments depend on x. scale may not be 0. */
  batchNormTrainingGrad(
    dy: number,
    x: number,
    scale: number,
    mean: number,
    variance: number,
    dx: number,
    dScale: number,
    dOffset: number,
    rows: number,
    channels: number,
    epsilon: number,
  ): void
  /**
   * (x - mean) / sqrt(variance + epsilon) * scale + offset with the moments of each row of `[rows, size]`; scale and offset
   * `[size]` may be 0. moments, `[rows, 2]`: mean and 1 / sqrt(variance + epsilon).
   */
  layerNorm(
    x: number,
    scale: number,
    offset: number,
    out: number,
    moments: number,
    rows: number,
    size: number,
    epsilon: number,
  ): void
  /** dx, with the moments that `layerNorm` gave. */
  layerNormGrad(dy: number, x: number, scale: number, moments: number, dx: number, rows: number, size: number): void
  /** Gradients of scale and offset, `[size]`. */
  layerNormParameterGrad(
    dy: number,
    x: number,
    moments: number,
    dScale: number,
    dOffset: number,
    rows: number,
    size: number,
  ): void
  /**
   * The gates of an LSTM: i, f, g, o of x + recurrent, both `[rows, 4 * units]`; newCarry = f * carry + i * g; h = o *
   * tanh(newCarry). i, f, o are sigmoids (isHard 1: clip(0.2 x + 0.5, 0, 1)), g is a tanh. gates: their values, kept for
   * the gradient. The others are `[rows, units]`.
   */
  lstmCell(
    x: number,
    recurrent: number,
    carry: number,
    h: number,
    newCarry: number,
    gates: number,
    rows: number,
    units: number,
    isHard: number,
  ): void
  /** dx, also that of recurrent, `[rows, 4 * units]`, and dCarry. A hard gate has slope 0 where it is 0 or 1. */
  lstmCellGrad(
    dh: number,
    dNewCarry: number,
    carry: number,
    newCarry: number,
    gates: number,
    dx: number,
    dCarry: number,
    rows: number,
    units: number,
    isHard: number,
  ): void
  /**
   * The gates of a GRU: update = gate(x0 + recurrent0), reset = gate(x1 + recurrent1), kept = reset * h, candidate = x2,
   * x being `[rows, 3 * units]`, recurrent `[rows, 2 * units]`, the others `[rows, units]`; gates as those of `lstmCell`.
   */
  gruGates(
    x: number,
    recurrent: number,
    h: number,
    update: number,
    reset: number,
    kept: number,
    candidate: number,
    rows: number,
    units: number,
    isHard: number,
  ): void
  /** dx, dRecurrent and the part of dh that goes through `kept`. */
  gruGatesGrad(
    dUpdate: number,
    dKept: number,
    dCandidate: number,
    h: number,
    update: number,
    reset: number,
    dx: number,
    dRecurrent: number,
    dh: number,
    rows: number,
    units: number,
    isHard: number,
  ): void
  /** fresh = tanh(candidate + recurrent); newH = update * h + (1 - update) * fresh, n elements. */
  gruState(
    candidate: number,
    recurrent: number,
    update: number,
    h: number,
    newH: number,
    fresh: number,
    n: number,
  ): void
  /** dCandidate, also that of recurrent, dUpdate, and the part of dh that goes through newH. */
  gruStateGrad(
    dNewH: number,
    update: number,
    h: number,
    fresh: number,
    dCandidate: number,
    dUpdate: number,
    dh: number,
    n: number,
  ): void
  /**
   * out = softmax(scale * query key^T) value for each head, never more than a block of scores at a time.
   *
   * query `[batch, queries, heads, dim]`, key the same with `keys`, value `[batch, keys, heads, valueDim]`, out `[batch,
   * queries, heads, valueDim]`. Causal: query i sees keys 0 .. i. scale is above 0. logSums, `[batch, heads, queries]`:
   * the logarithm of the sum that the softmax divides by, kept for the gradient. Without keys out is 0. Needs 64 KiB of
   * scratch.
   */
  attention(
    query: number,
    key: number,
    value: number,
    out: number,
    logSums: number,
    batch: number,
    queries: number,
    keys: number,
    heads: number,
    dim: number,
    valueDim: number,
    isCausal: number,
    scale: number,
  ): void
  /** The three gradients; scores are computed again. */
  attentionGrad(
    dy: number,
    query: number,
    key: number,
    value: number,
    out: number,
    logSums: number,
    dQuery: number,
    dKey: number,
    dValue: number,
    batch: number,
    queries: number,
    keys: number,
    heads: number,
    dim: number,
    valueDim: number,
    isCausal: number,
    scale: number,
  ): void
}
