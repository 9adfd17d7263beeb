// A Socket.IO chat server to drive beside Porchlight: join a room with the connection, send with acknowledgement, broadcast to the room.
//
// Delivery: at most once, all in memory; with --recover a connection that was lost for less than two minutes is replayed
// from memory. Nothing is stored on a disk. Usage: node server.js [--port 7921] [--recover]

import { createServer } from "node:http";
import { Server } from "socket.io";

const recover = process.argv.includes("--recover");
const port = Number(process.argv[process.argv.indexOf("--port") + 1]) || 7921;

const http = createServer((request, response) => {
  response.statusCode = request.url === "/healthz" ? 200 : 404;
  response.end();
});

const io = new Server(http, {
  transports: ["websocket"],
  // The defaults, named because they have to be alike for all: no compression, a ping each 25 s, dead 20 s later.
  perMessageDeflate: false,
  httpCompression: false,
  pingInterval: 25_000,
  pingTimeout: 20_000,
  serveClient: false,
  ...(recover && { connectionStateRecovery: { maxDisconnectionDuration: 120_000, skipMiddlewares: true } }),
});

io.on("connection", (socket) => {
  // A recovered socket is in its rooms already; its listeners are new all the same.
  if (!socket.recovered) socket.join(String(socket.handshake.auth.room));
  socket.on("send", ({ room, id, text }, done) => {
    io.to(String(room)).emit("message", { id, text });
    done();
  });
});

http.listen(port, "127.0.0.1", 4_096);
for (const signal of ["SIGTERM", "SIGINT"]) process.on(signal, () => io.close(() => process.exit(0)));
