// Imported by the processes of a test before anything of theirs: a test that is killed can't stop them, but the pipe that it
// holds at their standard input closes with it.
import { Socket } from 'node:net';

const parent = new Socket({ fd: 0, readable: true, writable: false });
parent.on('close', () => process.kill(process.pid, 'SIGKILL'));
parent.resume().unref();
