/**
 * What the kernel module (assembly/) exports for the updates of parameters; conventions as in exports.ts.
 * @module
 */

/** Update rules, and what comes before them. */
export interface UpdateExports {
  /**
   * Formulas of src/optimizers/sgd.ts over n elements; velocity may be 0 when momentum is 0. Every optimizer multiplies the
   * gradients by gradientScale first.
   */
  sgd(
    parameters: number,
    gradients: number,
    velocity: number,
    n: number,
    rate: number,
    momentum: number,
    nesterov: number,
    weightDecay: number,
    gradientScale: number,
  ): void
  /**
   * Formulas of src/optimizers/adam.ts over n elements. stepSize = rate / (1 - beta1^t), rootScale = 1 / sqrt(1 - beta2^t).
   * adam: keep = 1, penalty = weightDecay; adamw: keep = 1 - rate * weightDecay, penalty = 0.
   */
  adam(
    parameters: number,
    gradients: number,
    mean: number,
    squaredMean: number,
    n: number,
    stepSize: number,
    rootScale: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    keep: number,
    penalty: number,
    gradientScale: number,
  ): void
  /** Formulas of src/optimizers/rmsprop.ts over n elements; velocity and mean may be 0: no momentum, not centered. */
  rmsprop(
    parameters: number,
    gradients: number,
    squaredMean: number,
    velocity: number,
    mean: number,
    n: number,
    rate: number,
    alpha: number,
    epsilon: number,
    momentum: number,
    weightDecay: number,
    gradientScale: number,
  ): void
  /** Formulas of src/optimizers/adagrad.ts over n elements. */
  adagrad(
    parameters: number,
    gradients: number,
    squaredSum: number,
    n: number,
    rate: number,
    epsilon: number,
    weightDecay: number,
    gradientScale: number,
  ): void
  /**
   * Formulas of src/optimizers/lamb.ts over the n elements of one tensor. meanScale = 1 / (1 - beta1^t), rootScale =
   * 1 / sqrt(1 - beta2^t).
   */
  lamb(
    parameters: number,
    gradients: number,
    mean: number,
    squaredMean: number,
    n: number,
    rate: number,
    meanScale: number,
    rootScale: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    weightDecay: number,
    gradientScale: number,
  ): void
  /**
   * out[i] = the sum of the elements i of `count` ranges of floats, in their order, for i from offset to offset + n.
   * `pointers` leads to where they begin, int32. out may be one of them.
   */
  sumRanges(pointers: number, count: number, out: number, offset: number, n: number): void
  /**
   * out[i] = the sum of the elements offset + i of `count` ranges of floats, for n of them: what rides behind the gradients.
   *
   * @returns 1 if the first sum, which is the loss, is a finite number, else 0.
   */
  totals(pointers: number, count: number, offset: number, out: number, n: number): number
  /** Sum of the squares of n floats, added up in float64. */
  sumOfSquares(x: number, n: number): number
}
