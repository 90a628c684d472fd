declare class MarkdownIt {
  constructor(options: object);
  [member: string]: any;
}
export default MarkdownIt;
