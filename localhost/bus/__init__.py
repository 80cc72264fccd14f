"""The local Service Bus: a small durable AMQP 1.0 broker for development and tests, never deployed.

    python -m localhost.bus --state DIR [--port P] [--config FILE]

It listens on 127.0.0.1, keeps its messages in `DIR/bus.sqlite` and says where it is in `DIR/bus.json`: port,
process id, connection string and the port for faults, written when connections are accepted and removed by an
orderly end. After a kill the file is stale: whoever starts a bus waits for its process id. SIGTERM and SIGINT
end it in order. Clients speak to it through the official SDK with the connection string, as they do to
Microsoft's emulator; the tests do so with the one for Python, in both of its forms, and with the one for
JavaScript.

Queues are declared in `queues.json`, in the shape of the emulator's configuration, which the emulator's
container takes as it is. Expired messages go to the dead letters there, so that nothing disappears unseen
although the emulator allows no more than one hour of life.

As the real service
-------------------
- The claims handshake (any token is good); send, send in batches; peek-lock with any number of receivers,
  with and without prefetch; receive and delete; complete, abandon, release, defer, dead-letter with reason and
  description, over the link and over `$management`; receiving by sequence number what was deferred; renewal of
  a lock; peek, also of one session and of dead letters; scheduled messages and their withdrawal; duplicate
  detection where declared; lifetimes of messages and queues.
- Delivery counts: the first delivery has 0. Abandoning a message and letting its lock expire count; the SDK's
  release of what its caller never saw does not. After `MaxDeliveryCount` deliveries a message is among
  the dead letters (`MaxDeliveryCountExceeded`), where there is no limit, no expiry and no session.
- Sequence numbers rise, though not without gaps. A scheduled message gets a new one when it is due.
- A lock outlives the link and the connection it was given on: a client that dies blocks its message until the
  lock expires, and a settlement that comes too late is refused (`com.microsoft:message-lock-lost`). For a
  quicker recovery in development shorten `LockDuration`.
- Deferred messages do not expire; one that is received, and not settled, stays deferred, its attempt counted.
- Sessions where a queue requires them (`RequiresSession`): one receiver at a time for each, by name or the next
  available, which is waited for as long as the client asks; messages in order; a lock with renewal, under which
  those of its messages stand; a state that outlives all of it. A session whose lock expires is detached from
  its receiver (`com.microsoft:session-lock-lost`), and its attempts count. One whose link ends, or whose
  connection breaks, is free at once, and its attempts do not count.
- The limits of the standard tier: 256 KB for a message, a batch and a session's state, 64 KB for the properties
  of a message, 128 characters for the ids of messages and sessions. A batch is taken whole or not at all.
- At least once: an acknowledged send, and an acknowledged settlement, survive kill -9. A turn of the event
  loop is committed as one transaction before its answers are told. A restart ends all locks and keeps counts.

What it refuses, by name
------------------------
Queues that are not declared; senders and receivers without a session where one is required, and receivers with
one where none is; transactions (`amqp:not-implemented`, whether declared, sent in or settled in); topics and
forwarding; sending to a dead-letter queue; and any other management operation (status 501).

What it does not do
-------------------
TLS, authorisation, quotas, WebSockets, the detaching of idle links, and durability against a crash of the
machine (see `store`).

Where what is
-------------
`codec` reads and writes messages and `limits` measures them. `queue` is the state machine, with `entry` (a
message in it), `waiting` (who is next), `sessions` and `duplicates`; `namespace` has all queues; `store` is the
file. `links` and `management` are what clients attach to, `conditions` the names of refusals, `dispatch` deals
messages and sessions out, `server` is the event loop. `faults` makes it misbehave on request, for tests.
"""
