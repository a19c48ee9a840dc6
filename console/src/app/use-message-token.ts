import { useEffect, useState } from 'react';
import { useLocation, useSearch } from 'wouter';

/** The token of a message's link, taken out of the address so that no history keeps it. */
export function useMessageToken(): [string, (token: string) => void] {
  const [path, navigate] = useLocation();
  const given = new URLSearchParams(useSearch()).get('token');
  const [token, setToken] = useState('');
  useEffect(() => {
    if (given === null) return;
    setToken(given);
    navigate(path, { replace: true });
  }, [given, path, navigate]);
  return [token, setToken];
}
