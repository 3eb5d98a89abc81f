/**
 * Loops over elements that load and store four at once.
 *
 * A multiprocessor needs some 30 KiB of loads on their way to keep the memory of a current GPU busy; its 2,048 threads
 * with one float each have a quarter of that.
 * @module
 */

/** CUDA C: `makeRows`, which elementwise kernels are made of. */
export const foursSource = `
template <class T> struct alignas(4 * sizeof(T)) Four { T at[4]; };
template <class T> INLINE bool isAligned(const T *p) { return (unsigned long long)p % sizeof(Four<T>) == 0; }

// A value for each element of [rows, inner], with strides from row to row and from element to element, which is 1, or 0
// for one value that all elements of a row have.
template <class T> struct Operand {
  const T *first;
  int rowStride, step;
  INLINE T at(unsigned row, unsigned column) const { return first[row * rowStride + column * step]; }
  INLINE bool hasFours(int rows) const {
    return step == 0 || (step == 1 && isAligned(first) && (rows == 1 || rowStride % 4 == 0));
  }
  INLINE Four<T> fourAt(unsigned row, unsigned column) const {
    if (step != 0) return *(const Four<T> *)(first + row * rowStride + column);
    T value = at(row, 0);
    return Four<T>{{value, value, value, value}};
  }
};
template <class T> INLINE Operand<T> inARow(const T *first) { return Operand<T>{first, 0, 1}; }

template <class Out, class Function, class... In> INLINE Four<Out> fourOf(Function of, const Four<In> &...x) {
  return Four<Out>{{of(x.at[0]...), of(x.at[1]...), of(x.at[2]...), of(x.at[3]...)}};
}

// out [rows, inner] from what a function makes of the values of its operands, element by element.
template <class Out, class Function, class... In>
INLINE void makeRows(Out *out, int rows, int inner, Function of, Operand<In>... operands) {
  unsigned n = (unsigned)rows * (unsigned)inner, done = 0;
  if (isAligned(out) && (rows == 1 || inner % 4 == 0) && (operands.hasFours(rows) && ...)) {
    done = n / 4 * 4;
    EACH(four, n / 4) {
      unsigned row = rows == 1 ? 0 : four * 4 / (unsigned)inner, column = four * 4 - row * inner;
      *(Four<Out> *)(out + four * 4) = fourOf<Out>(of, operands.fourAt(row, column)...);
    }
  }
  EACH(rest, n - done) {
    unsigned i = done + rest, row = rows == 1 ? 0 : i / (unsigned)inner, column = i - row * inner;
    out[i] = of(operands.at(row, column)...);
  }
}
`
