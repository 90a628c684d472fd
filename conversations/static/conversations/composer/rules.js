/**
 * What a model does not take of files. The sentences are the server's, which checks the same again.
 */

/**
 * Why files are not taken, "" if they are.
 * @param {AttachedFile[]} files
 * @param {FileRules} rules
 */
export function problemOf(files, rules) {
  /** @type {Record<string, number>} */
  const counts = { image: 0, document: 0 };
  for (const { kind, format, size } of files) {
    const key = format === "pdf" ? "pdf" : "";
    counts[kind] += 1;
    if (rules.refused[kind]) return rules.refused[kind];
    if (kind === "document" && size > rules.bytes[key]) return rules.tooLarge[key];
  }
  const over = ["image", "document"].find((kind) => counts[kind] > rules.most[kind]);
  return over ? rules.tooMany[over] : "";
}
