const parameterPattern = /^\s*charset\s*=\s*("?)utf-8\1\s*$/i;

/** Whether a Content-Type is one of the JSON types given, in UTF-8: RFC 8259 leaves JSON no other encoding. */
export function isJsonMediaType(contentType: string, jsonTypes: ReadonlySet<string>): boolean {
  const [type = '', ...parameters] = contentType.split(';');
  return jsonTypes.has(type.trim().toLowerCase()) && parameters.every((text) => parameterPattern.test(text));
}
