import { useMutation, useQueryClient } from "@tanstack/react-query";

/** A change: afterwards what it touches asks again. */
export function useChange<V, R>(rooms: string[], change: (value: V) => Promise<R>) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: change,
    onSettled: () => Promise.all(["journal", ...rooms].map((room) => client.invalidateQueries({ queryKey: [room] }))),
  });
}
