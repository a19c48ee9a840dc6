import type { FileRegistry } from '@bufbuild/protobuf';
import type { DescriptorProto, EnumDescriptorProto, FileDescriptorProto } from '@bufbuild/protobuf/wkt';

// Field numbers of descriptor.proto, of which the paths in SourceCodeInfo are made.
const fileMessage = 4;
const fileEnum = 5;
const fileService = 6;
const messageField = 2;
const messageNested = 3;
const messageEnum = 4;
const enumValue = 2;
const serviceMethod = 2;

/** Comments by full name: `a.v1.Book`, `a.v1.Book.title`, `a.v1.Kind.KIND_ATLAS`, `a.v1.Library.GetBook`. */
export type Comments = ReadonlyMap<string, string>;

/** Reads the comments out of descriptors that carry source info; an empty map for those that don't. */
export function commentsFromRegistry(registry: FileRegistry): Comments {
  const comments = new Map<string, string>();
  for (const file of registry.files) {
    readFile(file.proto, comments);
  }
  return comments;
}

type Note = (fullName: string, path: readonly number[]) => void;

function readFile(file: FileDescriptorProto, comments: Map<string, string>): void {
  const locations = new Map<string, string>();
  for (const location of file.sourceCodeInfo?.location ?? []) {
    const text = textFromComment(location.leadingComments) || textFromComment(location.trailingComments);
    if (text !== '') {
      locations.set(location.path.join(), text);
    }
  }
  const note: Note = (fullName, path) => {
    const text = locations.get(path.join());
    if (text !== undefined) {
      comments.set(fullName, text);
    }
  };
  const prefix = file.package === '' ? '' : `${file.package}.`;
  for (const [index, message] of file.messageType.entries()) {
    readMessage(message, `${prefix}${message.name}`, [fileMessage, index], note);
  }
  for (const [index, one] of file.enumType.entries()) {
    readEnum(one, `${prefix}${one.name}`, [fileEnum, index], note);
  }
  for (const [index, service] of file.service.entries()) {
    note(`${prefix}${service.name}`, [fileService, index]);
    for (const [at, method] of service.method.entries()) {
      note(`${prefix}${service.name}.${method.name}`, [fileService, index, serviceMethod, at]);
    }
  }
}

function readMessage(message: DescriptorProto, fullName: string, path: readonly number[], note: Note): void {
  note(fullName, path);
  for (const [index, field] of message.field.entries()) {
    note(`${fullName}.${field.name}`, [...path, messageField, index]);
  }
  for (const [index, nested] of message.nestedType.entries()) {
    readMessage(nested, `${fullName}.${nested.name}`, [...path, messageNested, index], note);
  }
  for (const [index, one] of message.enumType.entries()) {
    readEnum(one, `${fullName}.${one.name}`, [...path, messageEnum, index], note);
  }
}

function readEnum(one: EnumDescriptorProto, fullName: string, path: readonly number[], note: Note): void {
  note(fullName, path);
  for (const [index, value] of one.value.entries()) {
    note(`${fullName}.${value.name}`, [...path, enumValue, index]);
  }
}

/** Lines without the space after `//`, which protoc keeps. */
function textFromComment(comment: string): string {
  return comment
    .split('\n')
    .map((line) => (line.startsWith(' ') ? line.slice(1) : line).trimEnd())
    .join('\n')
    .trim();
}
