"""The scenarios of the official Python client and of the official Python library for the server API.

Reads its settings from the environment, prints `ok NAME` or `not ok NAME: WHY` for each scenario, and leaves with 0 either way.
"""

import asyncio
import json
import os
import sys
import traceback
import uuid

from cent import (
    AsyncClient,
    BatchRequest,
    BroadcastRequest,
    CentApiResponseError,
    CentUnauthorizedError,
    ChannelsRequest,
    DisconnectRequest,
    HistoryRemoveRequest,
    HistoryRequest,
    InfoRequest,
    PresenceRequest,
    PresenceStatsRequest,
    PublishRequest,
    UnsubscribeRequest,
)
from centrifuge import (
    CentrifugeError,
    Client,
    ClientEventHandler,
    SubscriptionEventHandler,
)

WS_URL = os.environ["CONFORMANCE_WS_URL"]
API_URL = os.environ["CONFORMANCE_API_URL"]
API_KEY = os.environ["CONFORMANCE_API_KEY"]
# Tokens are signed by the caller: of user "python", with the channels "trpc:python-token" and, for a subscription, "closed:python-sub".
TOKEN = os.environ["CONFORMANCE_TOKEN"]
SUBS_TOKEN = os.environ["CONFORMANCE_SUBS_TOKEN"]
SUBSCRIPTION_TOKEN = os.environ["CONFORMANCE_SUBSCRIPTION_TOKEN"]
EXPIRED_TOKEN = os.environ["CONFORMANCE_EXPIRED_TOKEN"]
WAIT_SECONDS = 10


class Events:
    """Collects events of a client or subscription, to be waited for by name."""

    def __init__(self):
        self._queue = asyncio.Queue()

    def put(self, name, ctx):
        self._queue.put_nowait((name, ctx))

    async def next(self, name):
        async def take():
            while True:
                seen, ctx = await self._queue.get()
                if seen == name:
                    return ctx

        return await asyncio.wait_for(take(), WAIT_SECONDS)


class OnClient(ClientEventHandler, Events):
    def __init__(self):
        Events.__init__(self)

    async def on_connecting(self, ctx):
        self.put("connecting", ctx)

    async def on_connected(self, ctx):
        self.put("connected", ctx)

    async def on_disconnected(self, ctx):
        self.put("disconnected", ctx)

    async def on_subscribed(self, ctx):
        self.put("subscribed", ctx)

    async def on_publication(self, ctx):
        self.put("publication", ctx)


class OnSubscription(SubscriptionEventHandler, Events):
    def __init__(self):
        Events.__init__(self)

    async def on_subscribing(self, ctx):
        self.put("subscribing", ctx)

    async def on_subscribed(self, ctx):
        self.put("subscribed", ctx)

    async def on_unsubscribed(self, ctx):
        self.put("unsubscribed", ctx)

    async def on_publication(self, ctx):
        self.put("publication", ctx)

    async def on_join(self, ctx):
        self.put("join", ctx)


def check(actual, expected):
    if actual != expected:
        raise AssertionError(f"expected {expected!r}, got {actual!r}")


def channel(namespace):
    return f"{namespace}:python-{uuid.uuid4().hex[:12]}"


class Scenario:
    """What a scenario works with: clients of one protocol, and the server API."""

    def __init__(self, api, use_protobuf):
        self.api = api
        self.use_protobuf = use_protobuf
        self._clients = []

    def data(self, value):
        """Protobuf clients carry bytes."""
        return json.dumps(value).encode() if self.use_protobuf else value

    def value(self, data):
        return json.loads(data) if self.use_protobuf else data

    def client(self, **options):
        events = OnClient()
        client = Client(
            WS_URL, events=events, use_protobuf=self.use_protobuf, min_reconnect_delay=0.02, **options
        )
        self._clients.append(client)
        return client, events

    async def connected(self, **options):
        client, events = self.client(**{"token": TOKEN, **options})
        await client.connect()
        self.client_id = (await events.next("connected")).client
        return client, events

    async def subscribed(self, client, name, **options):
        events = OnSubscription()
        subscription = client.new_subscription(name, events=events, **options)
        await subscription.subscribe()
        return subscription, events, await events.next("subscribed")

    async def end(self):
        for client in self._clients:
            await client.disconnect()


async def receives(s):
    name = channel("plain")
    client, _ = await s.connected()
    _, events, _ = await s.subscribed(client, name)
    await s.api.publish(PublishRequest(channel=name, data={"n": 1}))
    ctx = await events.next("publication")
    check(s.value(ctx.pub.data), {"n": 1})


async def publishes(s):
    name = channel("open")
    client, _ = await s.connected()
    subscription, events, _ = await s.subscribed(client, name)
    await subscription.publish(s.data({"n": 2}))
    ctx = await events.next("publication")
    check(s.value(ctx.pub.data), {"n": 2})
    check(ctx.pub.offset, 1)
    check(ctx.pub.info.user, "python")


async def reads(s):
    name = channel("open")
    client, _ = await s.connected()
    subscription, _, _ = await s.subscribed(client, name)
    await s.api.publish(PublishRequest(channel=name, data={"n": 1}))
    await s.api.publish(PublishRequest(channel=name, data={"n": 2}))
    history = await subscription.history(limit=10)
    check([s.value(pub.data) for pub in history.publications], [{"n": 1}, {"n": 2}])
    check(history.offset, 2)
    presence = await subscription.presence()
    check([info.user for info in presence.clients.values()], ["python"])
    stats = await subscription.presence_stats()
    check((stats.num_clients, stats.num_users), (1, 1))


async def recovers(s):
    name = channel("recovery")
    client, client_events = await s.connected()
    _, events, first = await s.subscribed(client, name)
    check((first.recoverable, first.recovered), (True, False))
    await client.disconnect()
    await client_events.next("disconnected")
    await s.api.publish(PublishRequest(channel=name, data={"n": 1}))
    await client.connect()
    ctx = await events.next("subscribed")
    check((ctx.was_recovering, ctx.recovered), (True, True))
    publication = await events.next("publication")
    check(s.value(publication.pub.data), {"n": 1})


async def server_side(s):
    client, events = s.client(token=SUBS_TOKEN)
    await client.connect()
    ctx = await events.next("subscribed")
    check(ctx.channel, "trpc:python-token")
    check(ctx.positioned, True)
    await s.api.publish(PublishRequest(channel="trpc:python-token", data={"n": 1}))
    publication = await events.next("publication")
    check(s.value(publication.pub.data), {"n": 1})


async def subscription_token(s):
    client, _ = await s.connected()
    await s.subscribed(client, "closed:python-sub", token=SUBSCRIPTION_TOKEN)


async def refused(s):
    client, _ = await s.connected()
    events = OnSubscription()
    subscription = client.new_subscription(channel("closed"), events=events)
    await subscription.subscribe()
    ctx = await events.next("unsubscribed")
    check(ctx.code, 103)


async def token_renewed(s):
    fetched = []

    async def get_token():
        fetched.append(1)
        return TOKEN

    client, events = s.client(token=EXPIRED_TOKEN, get_token=get_token)
    await client.connect()
    await events.next("connected")
    check(len(fetched), 1)


async def invalid_token(s):
    client, events = s.client(token="garbage")
    try:
        await client.connect()
    except CentrifugeError:
        pass
    ctx = await events.next("disconnected")
    check(ctx.code, 3500)


async def ended_by_api(s):
    name = channel("plain")
    client, client_events = await s.connected()
    _, events, _ = await s.subscribed(client, name)
    await s.api.unsubscribe(UnsubscribeRequest(user="python", channel=name))
    ctx = await events.next("unsubscribed")
    check(ctx.code, 2000)
    await s.api.disconnect(DisconnectRequest(user="python", client=s.client_id))
    ctx = await client_events.next("disconnected")
    check(ctx.code, 3503)


CLIENT_SCENARIOS = {
    "receives what is published": receives,
    "publishes and hears itself": publishes,
    "reads history and presence": reads,
    "recovers what it missed": recovers,
    "hears of the channels of its token": server_side,
    "subscribes by a token": subscription_token,
    "is refused with 103": refused,
    "renews an expired token": token_renewed,
    "is told that a token is invalid": invalid_token,
    "is unsubscribed and disconnected by the server API": ended_by_api,
}


async def api_publishes(s):
    name = channel("open")
    first = await s.api.publish(PublishRequest(channel=name, data={"n": 1}, idempotency_key="k"))
    again = await s.api.publish(PublishRequest(channel=name, data={"n": 1}, idempotency_key="k"))
    check((first.offset, again.offset), (1, 1))
    check(first.epoch, again.epoch)


async def api_reads(s):
    name = channel("open")
    await s.api.publish(PublishRequest(channel=name, data={"n": 1}, tags={"a": "b"}))
    history = await s.api.history(HistoryRequest(channel=name, limit=10))
    check([(pub.data, pub.offset) for pub in history.publications], [({"n": 1}, 1)])
    check((await s.api.presence(PresenceRequest(channel=name))).presence, {})
    stats = await s.api.presence_stats(PresenceStatsRequest(channel=name))
    check((stats.num_clients, stats.num_users), (0, 0))
    await s.api.history_remove(HistoryRemoveRequest(channel=name))
    history = await s.api.history(HistoryRequest(channel=name, limit=10))
    check((history.publications, history.offset), ([], 1))


async def api_broadcasts(s):
    one, two = channel("open"), channel("plain")
    result = await s.api.broadcast(BroadcastRequest(channels=[one, two], data={"n": 1}))
    check([response.result.offset for response in result.responses], [1, 0])


async def api_batches(s):
    name = channel("open")
    result = await s.api.batch(
        BatchRequest(
            requests=[
                PublishRequest(channel=name, data={"n": 1}),
                PublishRequest(channel=name, data={"n": 2}),
                HistoryRequest(channel=name, limit=5),
            ]
        )
    )
    check([reply.offset for reply in result.replies], [1, 2, 2])


async def api_tells(s):
    info = await s.api.info(InfoRequest())
    check(len(info.nodes) >= 1, True)
    await s.api.channels(ChannelsRequest(pattern="nothing:*"))


async def api_errors(s):
    try:
        await s.api.publish(PublishRequest(channel="nope:x", data={}))
    except CentApiResponseError as error:
        check(error.code, 102)
    else:
        raise AssertionError("expected error 102")
    stranger = AsyncClient(API_URL, api_key="wrong")
    try:
        await stranger.info(InfoRequest())
    except CentUnauthorizedError:
        pass
    else:
        raise AssertionError("expected to be unauthorized")
    finally:
        await stranger.close()


API_SCENARIOS = {
    "publishes, and the same key only once": api_publishes,
    "reads history and presence": api_reads,
    "broadcasts": api_broadcasts,
    "sends a batch": api_batches,
    "reads info and channels": api_tells,
    "raises errors by their codes": api_errors,
}


async def main():
    api = AsyncClient(API_URL, api_key=API_KEY)

    async def prove(name, scenario, use_protobuf):
        s = Scenario(api, use_protobuf)
        try:
            await scenario(s)
            print(f"ok {name}", flush=True)
        except Exception as error:
            where = "".join(traceback.format_exception(error)).strip().replace("\n", " | ")
            print(f"not ok {name}: {where}", flush=True)
        finally:
            await s.end()

    for name, scenario in API_SCENARIOS.items():
        await prove(f"cent {name}", scenario, False)
    for protocol in os.environ["CONFORMANCE_PROTOCOLS"].split(","):
        for name, scenario in CLIENT_SCENARIOS.items():
            await prove(f"client with {protocol} {name}", scenario, protocol == "protobuf")
    await api.close()


asyncio.run(main())
sys.exit(0)
