import { InterceptingCall, type Interceptor, Metadata, status } from '@grpc/grpc-js';
import { defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';

/**
 * Interceptors of a connection that is going to be closed while calls may still wait for their next attempt.
 *
 * The SDK's own retry makes that attempt in a timer, whether the connection was closed meanwhile or not; gRPC then throws
 * "Channel has been shut down" where nobody can catch it, and the whole process ends with a stack trace. Behind `closed`,
 * an attempt ends as a cancelled call instead, which the SDK hands to whoever waits.
 */
export class ClosingCalls {
  #closed = false;
  readonly interceptors: Interceptor[] = [
    makeGrpcRetryInterceptor(defaultGrpcRetryOptions()),
    (options, nextCall) => (this.#closed ? cancelledCall() : new InterceptingCall(nextCall(options))),
  ];

  /** From here on no attempt is made. Call it before the connection is closed. */
  closed(): void {
    this.#closed = true;
  }
}

/** A call that ends at once. It answers later than it is started: its maker still has the message to send. */
function cancelledCall(): InterceptingCall {
  const ended = { code: status.CANCELLED, details: 'the connection was closed', metadata: new Metadata() };
  const nothing = (): void => undefined;
  return new InterceptingCall({
    start: (_metadata, listener) => {
      setImmediate(() => {
        listener?.onReceiveMessage?.(null);
        listener?.onReceiveStatus?.(ended);
      });
    },
    sendMessageWithContext: nothing,
    sendMessage: nothing,
    startRead: nothing,
    halfClose: nothing,
    cancelWithStatus: nothing,
    getPeer: () => 'closed',
    getAuthContext: () => null,
  });
}
