import type { ReactNode } from 'react';
import { ScrollRegion } from './scroll-region.tsx';

export interface Column<Row> {
  readonly title: string;
  readonly isNumber?: boolean;
  /** Holds what may be long and has no spaces, so it may break anywhere. */
  readonly isLong?: boolean;
  /** Undefined or empty where there is nothing to tell. */
  cell(row: Row): ReactNode;
}

interface TableProps<Row> {
  readonly caption: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  /** What is said where there is nothing. */
  readonly empty: ReactNode;
  keyOf(row: Row): string;
}

/** Rows and columns; on a narrow screen each row becomes a card whose cells name their column. */
export function Table<Row>({ caption, columns, rows, empty, keyOf }: TableProps<Row>) {
  if (rows.length === 0) return <p className="empty">{empty}</p>;
  return (
    <ScrollRegion label={caption}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.title} scope="col" className={classOf(column)}>
                {column.title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={keyOf(row)}>
              {columns.map((column) => (
                <Cell key={column.title} column={column} content={column.cell(row)} />
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollRegion>
  );
}

function Cell<Row>({ column, content }: { column: Column<Row>; content: ReactNode }) {
  const isNone = content === undefined || content === '';
  return (
    <td
      data-label={column.title}
      className={[isNone && 'none', classOf(column)].filter(Boolean).join(' ') || undefined}
    >
      {isNone ? '—' : content}
    </td>
  );
}

function classOf<Row>({ isNumber, isLong }: Column<Row>): string | undefined {
  if (isNumber) return 'number';
  return isLong ? 'long' : undefined;
}
