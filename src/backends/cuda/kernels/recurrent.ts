/** The gates of recurrent cells, both ways. @module */

import type { TensorKernels } from '../../device-backend.js'
import { callTable } from '../../wasm/program/call-table.js'
import { defineModule, each, type Launch } from './kernel-module.js'

const recurrentModule = defineModule(
  'recurrent',
  `
INLINE float gate(float x, int isHard) {
  if (!isHard) return sigmoid(x);
  float y = 0.2f * x + 0.5f;
  return y < 0 ? 0 : y > 1 ? 1 : y;
}
// Slope of a gate whose result is y, and of a tanh.
INLINE float slope(float y, int isHard) { return !isHard ? y * (1 - y) : y > 0 && y < 1 ? 0.2f : 0; }
INLINE float tanhSlope(float y) { return 1 - y * y; }

// Element i of [rows, units] is element "at" of [rows, parts * units]; the parts of a row lie next to each other.
#define PART_OF(i, parts) ((long long)(i / (unsigned)units) * parts * units + i % (unsigned)units)

KERNEL lstmCell(const float *x, const float *recurrent, const float *carry, float *h, float *newCarry, float *gates,
                int rows, int units, int isHard) {
  EACH(n, rows * units) {
    long long at = PART_OF(n, 4);
    float i = gate(x[at] + recurrent[at], isHard);
    float f = gate(x[at + units] + recurrent[at + units], isHard);
    float g = tanhf(x[at + 2 * units] + recurrent[at + 2 * units]);
    float o = gate(x[at + 3 * units] + recurrent[at + 3 * units], isHard);
    float c = f * carry[n] + i * g;
    newCarry[n] = c;
    h[n] = o * tanhf(c);
    gates[at] = i;
    gates[at + units] = f;
    gates[at + 2 * units] = g;
    gates[at + 3 * units] = o;
  }
}
KERNEL lstmCellGrad(const float *dh, const float *dNewCarry, const float *carry, const float *newCarry,
                    const float *gates, float *dx, float *dCarry, int rows, int units, int isHard) {
  EACH(n, rows * units) {
    long long at = PART_OF(n, 4);
    float i = gates[at], f = gates[at + units], g = gates[at + 2 * units], o = gates[at + 3 * units];
    float t = tanhf(newCarry[n]), dy = dh[n];
    float dc = dy * o * tanhSlope(t) + dNewCarry[n];
    dx[at] = dc * g * slope(i, isHard);
    dx[at + units] = dc * carry[n] * slope(f, isHard);
    dx[at + 2 * units] = dc * i * tanhSlope(g);
    dx[at + 3 * units] = dy * t * slope(o, isHard);
    dCarry[n] = dc * f;
  }
}
KERNEL gruGates(const float *x, const float *recurrent, const float *h, float *update, float *reset, float *kept,
                float *candidate, int rows, int units, int isHard) {
  EACH(n, rows * units) {
    long long at = PART_OF(n, 3), other = PART_OF(n, 2);
    update[n] = gate(x[at] + recurrent[other], isHard);
    float r = gate(x[at + units] + recurrent[other + units], isHard);
    reset[n] = r;
    kept[n] = r * h[n];
    candidate[n] = x[at + 2 * units];
  }
}
KERNEL gruGatesGrad(const float *dUpdate, const float *dKept, const float *dCandidate, const float *h,
                    const float *update, const float *reset, float *dx, float *dRecurrent, float *dh, int rows,
                    int units, int isHard) {
  EACH(n, rows * units) {
    long long at = PART_OF(n, 3), other = PART_OF(n, 2);
    float dz = dUpdate[n] * slope(update[n], isHard);
    float dr = dKept[n] * h[n] * slope(reset[n], isHard);
    dx[at] = dz;
    dx[at + units] = dr;
    dx[at + 2 * units] = dCandidate[n];
    dRecurrent[other] = dz;
    dRecurrent[other + units] = dr;
    dh[n] = dKept[n] * reset[n];
  }
}
KERNEL gruState(const float *candidate, const float *recurrent, const float *update, const float *h, float *newH,
                float *fresh, int n) {
  EACH(i, n) {
    float y = tanhf(candidate[i] + recurrent[i]);
    fresh[i] = y;
    newH[i] = update[i] * h[i] + (1 - update[i]) * y;
  }
}
KERNEL gruStateGrad(const float *dNewH, const float *update, const float *h, const float *fresh, float *dCandidate,
                    float *dUpdate, float *dh, int n) {
  EACH(i, n) {
    dCandidate[i] = dNewH[i] * (1 - update[i]) * tanhSlope(fresh[i]);
    dUpdate[i] = dNewH[i] * (h[i] - fresh[i]);
    dh[i] = dNewH[i] * update[i];
  }
}
`,
)

export const recurrentModules = [recurrentModule]

type RecurrentKernels = Pick<
  TensorKernels,
  'lstmCell' | 'lstmCellGrad' | 'gruGates' | 'gruGatesGrad' | 'gruState' | 'gruStateGrad'
>

export const recurrentKernels = (launch: Launch): RecurrentKernels => ({
  lstmCell: (...v) => launch(recurrentModule, 'lstmCell', callTable.lstmCell, each(v[6] * v[7]), v),
  lstmCellGrad: (...v) => launch(recurrentModule, 'lstmCellGrad', callTable.lstmCellGrad, each(v[7] * v[8]), v),
  gruGates: (...v) => launch(recurrentModule, 'gruGates', callTable.gruGates, each(v[7] * v[8]), v),
  gruGatesGrad: (...v) => launch(recurrentModule, 'gruGatesGrad', callTable.gruGatesGrad, each(v[9] * v[10]), v),
  gruState: (...v) => launch(recurrentModule, 'gruState', callTable.gruState, each(v[6]), v),
  gruStateGrad: (...v) => launch(recurrentModule, 'gruStateGrad', callTable.gruStateGrad, each(v[7]), v),
})
