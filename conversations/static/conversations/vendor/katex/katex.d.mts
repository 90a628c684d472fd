declare const katex: { render(source: string, element: HTMLElement, options: object): void };
export default katex;
