/** Printable ASCII: what RFC 9112 lets into a request target, with the few characters browsers leave unescaped. */
const targetPattern = /^[\x21-\x7e]*$/;

export function isPrintableAscii(text: string): boolean {
  return targetPattern.test(text);
}

/** Decodes once, strictly (RFC 3986, UTF-8 without overlong forms or surrogates). `undefined`: malformed. */
export function decodePercent(raw: string): string | undefined {
  if (!raw.includes('%')) {
    return raw;
  }
  try {
    return decodeURIComponent(raw);
  } catch {
    return undefined;
  }
}

/** What http.proto says of multi-segment variables: everything is decoded except `%2F` and `%2f`, left unchanged. */
export function decodePercentExceptSlash(raw: string): string | undefined {
  if (!raw.includes('%')) {
    return raw;
  }
  // Splitting at an ASCII escape can't cut a UTF-8 sequence in two.
  return decodeAround(raw, /(%2f)/i);
}

/** The default of google.api.Http: RFC 6570 reserved characters are left encoded in multi-segment variables. */
export function decodePercentExceptReserved(raw: string): string | undefined {
  if (!raw.includes('%')) {
    return raw;
  }
  return decodeAround(raw, /(%(?:21|23|24|26|27|28|29|2a|2b|2c|2f|3a|3b|3d|3f|40|5b|5d))/i);
}

function decodeAround(raw: string, kept: RegExp): string | undefined {
  const parts = raw.split(kept);
  for (let index = 0; index < parts.length; index += 2) {
    const decoded = decodePercent(parts[index] as string);
    if (decoded === undefined) {
      return undefined;
    }
    parts[index] = decoded;
  }
  return parts.join('');
}
