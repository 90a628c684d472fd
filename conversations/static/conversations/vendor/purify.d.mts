declare const DOMPurify: { sanitize(html: string, options: object): DocumentFragment };
export default DOMPurify;
