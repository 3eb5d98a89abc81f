/** A Python program as text: tsup inlines it. */
declare module '*.py' {
  const source: string
  export default source
}
