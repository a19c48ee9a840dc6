/** Open streams of this process, by person. */
export interface StreamCounts {
  readonly byUser: Map<string, number>;
  total: number;
}
