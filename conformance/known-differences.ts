/**
 * Where the embedded broker differs from Centrifugo, by the name of the scenario that shows it, with the reason.
 * In runs with a real server an entry whose scenario passes on the embedded broker fails the run, so that the list stays true.
 */
export const KNOWN_DIFFERENCES: Readonly<Record<string, string>> = {
  'own key set: one key that cannot be read spoils the set': 'One key must not spoil the others.',
  'own key set: a key that is taken out of the set still counts after the set was fetched again':
    'A key that is taken out must not count for an hour more. And an unknown id fetches at most every five seconds.',
  'own key set: a set of two megabytes is read': 'Memory stays bounded.',
  'own key set: every unknown id fetches the set': 'One bad token must not cost a fetch.',
};

const order = "Through Redis the reply may come before one's own publication.";
const epoch = 'Redis keeps no epoch with a publication, so history and recovery give the first one without.';

/** Where several nodes of Centrifugo differ from one with the memory engine. Some of it is a matter of time, so none of it must show. */
export const CLUSTER_DIFFERENCES: Readonly<Record<string, string>> = {
  'api: subscribe with an expiry in the past is error 100':
    "The node that answers is not the client's and cannot tell.",
  'bytes: characters beyond ASCII pass as they are written': order,
  'bytes: escapes pass as they are written': order,
  'bytes: white space and repeated keys pass as they are written': order,
  'bytes: numbers pass as they are written': order,
  'bytes: deep data passes': order,
  'bytes: characters that matter to HTML are not escaped in data': order,
  'publish: a publication carries its publisher, and the publisher receives it before the reply': order,
  "publish: a subscriber's permission counts while subscribed": order,
  'publish: false, zero and the empty string are data': order,
  'publish: null is data': order,
  'publish: history since a position, in reverse, gives what precedes': epoch,
  'publish: history with a limit gives the oldest first': epoch,
  'publish: history with limit -1 gives all': epoch,
  "recovery: a client's publication is recovered with its publisher": epoch,
  'recovery: a publication with skip_history has no offset and is never recovered': epoch,
  'recovery: a subscribe with flag 2 and a position that is recovered is accepted': epoch,
  'recovery: from the beginning: recovered, with all': epoch,
  'recovery: no epoch fits any': epoch,
  'recovery: recover where recovery is asked for': epoch,
  'recovery: tags come with live and with recovered publications': epoch,
  'recovery: the epoch stands in the publication of offset 1 and in no other': epoch,
  'recovery: what comes after the recovery goes on from there': epoch,
  'order: a publication reaches subscribers before the API answers': order,
};
