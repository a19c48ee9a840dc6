import type { PathTemplate, TemplateVariable } from '../template.ts';

/** A template in the words of OpenAPI: one parameter for each wildcard. */
export interface OpenApiPath {
  readonly path: string;
  readonly parameters: readonly PathParameter[];
}

export interface PathParameter {
  readonly name: string;
  /** The variable it is (a part of), by its place in the template; undefined for a bare wildcard. */
  readonly variable: number | undefined;
  /** Whether the wildcard is the whole variable, so that the field's own schema describes it. */
  readonly isWhole: boolean;
  /** `**`: slashes are part of it. OpenAPI has no word for that. */
  readonly isMultiSegment: boolean;
}

/** Spells a template out: `/v1/{name=shelves/*}:x` becomes `/v1/shelves/{name}:x`. */
export function openApiFromTemplate(
  template: PathTemplate,
  nameOf: (variable: TemplateVariable) => string,
): OpenApiPath {
  const parameters: PathParameter[] = [];
  const segments = template.segments.map((segment, at) => {
    if (segment.kind === 'literal') {
      return encodeURIComponent(segment.text);
    }
    const index = template.variables.findIndex((variable) => at >= variable.start && at < variable.end);
    const variable = template.variables[index];
    const name = uniqueName(variable === undefined ? 'segment' : nameOf(variable), parameters);
    parameters.push({
      name,
      variable: variable === undefined ? undefined : index,
      isWhole: variable !== undefined && variable.end - variable.start === 1,
      isMultiSegment: segment.kind === 'multi',
    });
    return `{${name}}`;
  });
  const verb = template.verb === '' ? '' : `:${template.verb}`;
  return { path: `/${segments.join('/')}${verb}`, parameters };
}

function uniqueName(name: string, taken: readonly PathParameter[]): string {
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? name : `${name}${count}`;
    if (!taken.some((parameter) => parameter.name === candidate)) {
      return candidate;
    }
  }
}

/** Equal for paths that differ in the names of their parameters alone, which OpenAPI counts as identical. */
export function shapeOf(path: string): string {
  return path.replace(/\{[^}]*\}/g, '{}');
}
