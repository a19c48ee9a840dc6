declare module '*.svg' {
  const url: string;
  // biome-ignore lint/style/noDefaultExport: vite gives the address of a file as its default export.
  export default url;
}
declare module '*.css';
