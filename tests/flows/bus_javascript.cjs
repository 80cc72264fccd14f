// The local bus as Microsoft's JavaScript client sees it: node bus_javascript.cjs CONNECTION_STRING
// Prints one JSON object: what was seen at each step. test_bus_javascript.py says what it ought to be.
"use strict";

const { ServiceBusClient } = require("@azure/service-bus");

const WAIT = { maxWaitTimeInMs: 5000 };

async function take(receiver, count) {
  const found = [];
  while (found.length < count) {
    const got = await receiver.receiveMessages(count - found.length, WAIT);
    if (got.length === 0) break;
    found.push(...got);
  }
  return found;
}

async function settlement(client, seen) {
  const sender = client.createSender("patient");
  const receiver = client.createReceiver("patient");
  const batch = await sender.createMessageBatch();
  for (const body of ["first", "second", "third", "fourth"]) {
    batch.tryAddMessage({ body, messageId: `js-${body}`, applicationProperties: { site: "0042" } });
  }
  await sender.sendMessages(batch);
  const [first, second, third, fourth] = await take(receiver, 4);
  seen.received = [first, second, third, fourth].map((each) => [
    each.body, each.messageId, each.deliveryCount, each.applicationProperties.site,
  ]);
  const until = first.lockedUntilUtc;
  await new Promise((resolve) => setTimeout(resolve, 5));
  seen.renewed = (await receiver.renewMessageLock(first)) > until;
  await receiver.completeMessage(first);
  await receiver.deferMessage(second);
  await receiver.deadLetterMessage(third, { deadLetterReason: "NO_SITE", deadLetterErrorDescription: "no such site" });
  await receiver.abandonMessage(fourth);
  const [again] = await take(receiver, 1);
  seen.abandoned = [again.body, again.deliveryCount];
  await receiver.completeMessage(again);
  const [aside] = await receiver.receiveDeferredMessages(second.sequenceNumber);
  seen.deferred = [aside.body, aside.state, aside.deliveryCount];
  await receiver.completeMessage(aside);
  const graves = client.createReceiver("patient", { subQueueType: "deadLetter" });
  const [dead] = await take(graves, 1);
  seen.dead = [dead.body, dead.deadLetterReason, dead.deadLetterErrorDescription];
  await graves.completeMessage(dead);
  seen.left = (await receiver.peekMessages(10)).length + (await graves.peekMessages(10)).length;
}

async function schedule(client, seen) {
  const sender = client.createSender("patient");
  const receiver = client.createReceiver("patient");
  const due = new Date(Date.now() + 1500);
  const [kept, withdrawn] = await sender.scheduleMessages([{ body: "kept" }, { body: "withdrawn" }], due);
  await sender.cancelScheduledMessages(withdrawn);
  seen.scheduled = (await receiver.peekMessages(10, { fromSequenceNumber: kept })).map((each) => [each.body, each.state]);
  const [message] = await take(receiver, 1);
  seen.came = [message.body, message.enqueuedTimeUtc >= new Date(due.getTime() - 2)];
  await receiver.completeMessage(message);
}

async function sessions(client, seen) {
  const sender = client.createSender("talks");
  const messages = ["1", "2", "3"].map((body) => ({ body, sessionId: "js" }));
  await sender.sendMessages(messages);
  const session = await client.acceptSession("talks", "js");
  seen.refused = await client.acceptSession("talks", "js").then(() => "accepted", (error) => error.code);
  const got = await take(session, 3);
  seen.session = [session.sessionId, got.map((each) => [each.body, each.sessionId])];
  const until = session.sessionLockedUntilUtc;
  await new Promise((resolve) => setTimeout(resolve, 5));
  seen.sessionRenewed = (await session.renewSessionLock()) > until;
  await session.setSessionState({ step: 3 });
  await session.completeMessage(got[0]);
  await session.deferMessage(got[1]);
  await session.close();
  const next = await client.acceptNextSession("talks");
  seen.next = [next.sessionId, await next.getSessionState()];
  const [third] = await take(next, 1);
  const [second] = await next.receiveDeferredMessages(got[1].sequenceNumber);
  seen.rest = [third.body, second.body];
  seen.peeked = (await next.peekMessages(10, { fromSequenceNumber: got[0].sequenceNumber })).map((each) => each.body);
  await next.completeMessage(third);
  await next.completeMessage(second);
  await next.setSessionState(null);
  await next.close();
  seen.sessionless = await sender.sendMessages({ body: "x" }).then(() => "sent", (error) => error.message);
}

async function refusals(client, seen) {
  const hasty = new ServiceBusClient(process.argv[2], { retryOptions: { maxRetries: 0, timeoutInMs: 2000 } });
  seen.none = await hasty.acceptNextSession("talks").then(() => "accepted", (error) => error.code);
  seen.plain = await client.acceptSession("patient", "js").then(() => "accepted", (error) => error.code);
  seen.demanding = await client.createReceiver("talks").receiveMessages(1, WAIT).then(() => "given", (error) => error.message);
  await hasty.close();
  const nowhere = client.createSender("nowhere");
  seen.nowhere = await nowhere.sendMessages({ body: "x" }).then(() => "sent", (error) => error.code);
  const sender = client.createSender("patient");
  seen.large = await sender.sendMessages({ body: "x".repeat(262145) }).then(() => "sent", (error) => error.code);
}

async function main() {
  const client = new ServiceBusClient(process.argv[2], { retryOptions: { maxRetries: 0, timeoutInMs: 10000 } });
  const seen = {};
  for (const step of [settlement, schedule, sessions, refusals]) await step(client, seen);
  await client.close();
  console.log(JSON.stringify(seen));
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
