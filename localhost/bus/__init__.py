"""The local Service Bus: a small durable AMQP 1.0 broker for development and tests, never deployed.

    python -m localhost.bus --state DIR [--port P] [--config FILE]

It listens on 127.0.0.1, keeps its messages in `DIR/bus.sqlite` and says where it is in `DIR/bus.json`: port,
process id and connection string, written when connections are accepted and removed by an orderly end. After
a kill the file is stale: whoever starts a bus waits for its process id. SIGTERM and SIGINT end it in order.
Clients speak to it through the official SDK with the connection string, as they do to Microsoft's emulator.

Queues are declared in `queues.json`, in the shape of the emulator's configuration, which the emulator's
container takes as it is. Expired messages go to the dead letters there, so that nothing disappears unseen
although the emulator allows no more than one hour of life.

As the real service
-------------------
- The claims handshake (any token is good); send, send in batches; peek-lock with any number of receivers,
  with and without prefetch; receive and delete; complete, abandon, release, dead-letter with reason and
  description; renewal of a lock; peek; scheduled messages and their withdrawal; duplicate detection where
  declared; lifetimes of messages and queues; the limit of 256 KB per message and per batch.
- Delivery counts: the first delivery has 0. Abandoning a message and letting its lock expire count; the SDK's
  release of what its caller never saw does not. After `MaxDeliveryCount` deliveries a message is among
  the dead letters (`MaxDeliveryCountExceeded`), where there is no limit and no expiry.
- Sequence numbers rise, though not without gaps. A scheduled message gets a new one when it is due.
- A lock outlives the link and the connection it was given on: a client that dies blocks its message until the
  lock expires, and a settlement that comes too late is refused (`com.microsoft:message-lock-lost`). For a
  quicker recovery in development shorten `LockDuration`.
- At least once: an acknowledged send, and an acknowledged settlement, survive kill -9. A turn of the event
  loop is committed as one transaction before its answers are told. A restart ends all locks and keeps counts.

What it refuses, by name
------------------------
Queues that are not declared; sessions (at the start when a queue requires them, at attachment when a
receiver asks for one); deferral and receiving by sequence number; topics and forwarding; sending to a
dead-letter queue; and any other management operation (status 501).

What it does not do
-------------------
TLS, authorisation, quotas, WebSockets, and durability against a crash of the machine (see `store`).

`codec` reads and writes messages, `queue` is the state machine, `store` the file, `links` and `management`
are what clients attach to, `server` is the event loop.
"""
