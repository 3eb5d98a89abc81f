/** Programs in other languages as text: tsup inlines them. */
declare module '*.py' {
  const source: string
  export default source
}
declare module '*.c' {
  const source: string
  export default source
}
